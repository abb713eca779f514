"""The ports of an emulated switch, for net-snmp's agent (`pass_persist` of snmpd.conf(5)), run as its child.

Argument: a JSON file with the state of each port, `{"3": {"admin": 1, "power": 1, "plugged": true}}`, read for each
question and written for each setting; each is noted beside it (`3 power 2`). Uses the standard library alone.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

ADMIN, OPER = ".1.3.6.1.2.1.2.2.1.7", ".1.3.6.1.2.1.2.2.1.8"
POWER, DELIVERS = ".1.3.6.1.2.1.105.1.1.1.3", ".1.3.6.1.2.1.105.1.1.1.6"


def table(ports: dict[str, dict[str, int]]) -> dict[str, int]:
    """Every object there is: the port with power 2 feeds nobody, so what is plugged into it has no link."""
    found: dict[str, int] = {}
    for number, port in ports.items():
        fed = port["power"] == 1 and bool(port["plugged"])
        found[f"{ADMIN}.{number}"] = port["admin"]
        found[f"{OPER}.{number}"] = 1 if fed and port["admin"] == 1 else 2
        found[f"{POWER}.1.{number}"] = port["power"]
        found[f"{DELIVERS}.1.{number}"] = 3 if fed else 1 if port["power"] == 2 else 2
    return found


def answer(path: Path, command: str, oid: str, words: str) -> list[str]:
    """The lines that answer one command."""
    ports = json.loads(path.read_text())
    known = table(ports)
    if command == "getnext":
        key = [int(part) for part in oid.strip(".").split(".")]
        later = sorted(([int(part) for part in one.strip(".").split(".")], one) for one in known)
        oid = next((one for parts, one in later if parts > key), "")
    if command in ("get", "getnext"):
        return [oid, "integer", str(known[oid])] if oid in known else ["NONE"]
    name, number = (
        {ADMIN: "admin", POWER: "power"}.get(oid.rsplit(".", 1 if ADMIN in oid else 2)[0]),
        oid.rsplit(".", 1)[-1],
    )
    if name is None or oid not in known:
        return ["not-writable"]
    kind, _, value = words.partition(" ")
    if kind != "integer" or value not in ("1", "2"):
        return ["wrong-value"]
    ports[number][name] = int(value)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(ports))
    os.replace(fresh, path)
    with path.with_suffix(".done").open("a") as done:
        done.write(f"{number} {name} {value}\n")
    return ["DONE"]


def main() -> None:
    """Until the agent ends."""
    path = Path(sys.argv[1])
    while line := sys.stdin.readline():
        command = line.strip()
        if not command:
            continue  # the agent ends a setting with an empty line
        if command == "PING":
            print("PONG", flush=True)
            continue
        oid = sys.stdin.readline().strip()
        words = sys.stdin.readline().strip() if command == "set" else ""
        print("\n".join(answer(path, command, oid, words)), flush=True)


if __name__ == "__main__":
    main()
