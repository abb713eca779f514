"""What people see: templates, islands, one stylesheet, one catalog, and the small renderer that server and agent share.

    pages = Pages()
    html = pages.render("panel", language=preferred_language(cookie, accept_language), data={...})

**A page is added** in five steps:

1. `web/src/pages/<page>/main.tsx`: imports `../../styles/base.css` and its own `<page>.css`, and calls
   `start((data: MyData) => <Page data={data} />)` from `src/island.tsx`. State lives in reducers beside it, with tests.
2. `<page>` is added to `pages` in `web/vite.config.js`.
3. Its sentences go into every `web/translations/*.po`: `title.<page>` and keys `<page>.…`, places as `{name}`; `t("…")`
   in TypeScript and `t("…")` in templates. A key missing in one language, or used nowhere, fails a test.
4. `npm run build` in `web/`; the route answers `pages.render("<page>", language=…, data={…})` with the headers
   `Cache-Control: no-store` and `Content-Security-Policy: content_security_policy()`.
5. A budget for it in `tests/web/test_budgets.py` and a picture of it in light and dark, held beside the mock-up.

Data that changes does not go through `data` but through a live document: `new Live<T>(url)` of `src/live.ts`.
"""

from web.catalogs import LANGUAGES, Catalog
from web.languages import LANGUAGE_COOKIE, preferred_language
from web.manifest import PagesNotBuilt
from web.render import Pages, content_security_policy

__all__ = [
    "LANGUAGES",
    "LANGUAGE_COOKIE",
    "Catalog",
    "Pages",
    "PagesNotBuilt",
    "content_security_policy",
    "preferred_language",
]
