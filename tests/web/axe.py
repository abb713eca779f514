"""Axe (axe-core) on a page: what WCAG 2.2 A and AA rules it breaks."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

_AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => {
  const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary}`));
}"""


async def violations(page: Page) -> list[str]:
    """Every broken rule with its place, empty when all is well. The page's context must bypass the CSP."""
    await page.add_script_tag(path=_AXE)
    found = await page.evaluate(_RUN)
    assert isinstance(found, list)
    return found
