"""People who come by link: secrets, tokens, removal, revocation, expiry, names."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.media import Grants
from signaling.rooms.invitations import digest, printable
from signaling.store import AuditRecord
from tests.signaling.rooms.test_service import refusal, running
from tests.signaling.rooms.world import HAIN, LAUZELLE, SENNE, SETTINGS, World, world
from wire.meetings import Invitation, JoinGrant, JoinRequest
from wire.problems import Code, Refusal


@pytest.fixture
async def w(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, replace(SETTINGS, guests_per_meeting=3, invitations_per_meeting=4)) as made:
        for room in (LAUZELLE, SENNE, HAIN):
            await made.connect(room)
        yield made


def secret(invitation: Invitation) -> str:
    return urlsplit(invitation.url).path.removeprefix("/join/")


async def invited(w: World) -> tuple[str, str]:
    """A running meeting and the secret of a link to it."""
    meeting = await running(w)
    return meeting, secret(await w.service.invite(f"room:{LAUZELLE}", meeting))


def enter(w: World, grant: JoinGrant, name: str = "Zoé") -> None:
    """The guest's browser joins the media."""
    media = json.loads(grant.token)["media"]
    w.media.join(media, Grants(grant.identity, media, name=name))


async def test_a_guest_joins_by_link(w: World) -> None:
    meeting, link = await invited(w)
    view = await w.service.look(link)
    assert view.title == "Lauzelle, Senne"
    assert {person.name for person in view.present} == {"Lauzelle", "Senne"}
    grant = await w.service.join(link, JoinRequest("  Zoé\u202e\x00 du  Lac ", "nl"))
    assert (grant.url, grant.meeting, grant.expires_in) == ("wss://meet.example", meeting, 600.0)
    token = json.loads(grant.token)
    assert token["identity"] == grant.identity
    assert w.service.admit(Grants(grant.identity, token["media"])) is None
    guest = await w.store.guest(grant.identity)
    assert guest is not None
    assert (guest.name, guest.language) == ("Zoé du Lac", "nl")


async def test_only_digests_are_kept(w: World) -> None:
    _, link = await invited(w)
    grant = await w.service.join(link, JoinRequest("Zoé"))
    assert len(link) >= 22, "at least 128 bits"
    record = await w.store.invitation_by_secret(digest(link))
    guest = await w.store.guest(grant.identity)
    assert record is not None
    assert guest is not None
    kept = repr((record, guest, await w.store.audit_trail()))
    assert link not in kept
    assert grant.refresh not in kept


async def test_the_refresh_secret_gives_the_next_token_and_nothing_else_does(w: World) -> None:
    _, link = await invited(w)
    grant = await w.service.join(link, JoinRequest("Zoé"))
    again = await w.service.refresh(grant.refresh)
    assert (again.identity, again.refresh) == (grant.identity, grant.refresh)
    for wrong in ("", "nonsense", link, "x" * 100_000, "\ud800"):
        assert (await refusal(w.service.refresh(wrong))).code is Code.TOKEN_INVALID
        assert (await refusal(w.service.look("" if wrong == link else wrong))).code is Code.LINK_UNKNOWN


async def test_an_expired_a_revoked_and_a_useless_link(w: World) -> None:
    meeting, link = await invited(w)
    w.clock.now += SETTINGS.invitation_ttl
    assert (await refusal(w.service.look(link))).code is Code.LINK_EXPIRED
    assert (await refusal(w.service.join(link, JoinRequest("Zoé")))).code is Code.LINK_EXPIRED
    fresh = secret(await w.service.invite("it:ann", meeting))
    grant = await w.service.join(fresh, JoinRequest("Zoé"))
    await w.ask(SENNE, "revoke_invitations", meeting=meeting)
    assert (await refusal(w.service.join(fresh, JoinRequest("Max")))).code is Code.LINK_REVOKED
    assert (await w.service.refresh(grant.refresh)).identity == grant.identity, "who is in stays"
    last = secret(await w.service.invite("it:ann", meeting))
    await w.service.end("it:ann", meeting)
    assert (await refusal(w.service.look(last))).code is Code.MEETING_OVER
    assert (await refusal(w.service.look(fresh))).code is Code.LINK_REVOKED
    assert (await refusal(w.service.refresh(grant.refresh))).code is Code.MEETING_OVER
    assert (await refusal(w.service.guest_invite(grant.refresh))).code is Code.MEETING_OVER
    await w.service.leave(grant.refresh)


async def test_a_removed_guest_is_out_for_good(w: World, tmp_path: Path) -> None:
    meeting, link = await invited(w)
    grant = await w.service.join(link, JoinRequest("Zoé"))
    enter(w, grant)
    await w.service.turn()
    media = w.media_of(meeting)
    await w.ask(SENNE, "remove", meeting=meeting, participant=grant.identity)
    assert grant.identity not in w.media.sessions[media]
    assert (await refusal(w.service.refresh(grant.refresh))).code is Code.FORBIDDEN
    problem = w.service.admit(Grants(grant.identity, media))
    assert problem is not None
    assert problem.code is Code.FORBIDDEN
    async with world(tmp_path) as after:
        assert after.service.admit(Grants(grant.identity, media)) is not None, "a restart forgot who was removed"
        again = await after.service.join(link, JoinRequest("Zoé"))
        assert again.identity != grant.identity


async def test_guests_are_back_after_a_restart(w: World, tmp_path: Path) -> None:
    meeting, link = await invited(w)
    grant = await w.service.join(link, JoinRequest("Zoé"))
    async with world(tmp_path) as after:
        media = after.media_of(meeting)
        assert after.service.admit(Grants(grant.identity, media)) is None
        assert (await after.service.refresh(grant.refresh)).identity == grant.identity
        enter(after, grant)
        await after.wait(90)
        assert len(after.service.meetings()) == 1, "a guest is there, the rooms are not back"
        await after.wait(60)
        assert after.service.meetings() == []


async def test_leaving_and_coming_back(w: World) -> None:
    meeting, link = await invited(w)
    grant = await w.service.join(link, JoinRequest("Zoé"))
    enter(w, grant)
    await w.service.turn()
    await w.service.leave(grant.refresh)
    await w.service.turn()
    guest = await w.store.guest(grant.identity)
    assert guest is not None
    assert guest.left_at == w.clock.now
    enter(w, await w.service.refresh(grant.refresh))
    await w.service.turn()
    guest = await w.store.guest(grant.identity)
    assert guest is not None
    assert guest.left_at is None
    actions = [line.action for line in await w.store.audit_trail(subject=meeting)]
    assert {"invited", "guest_joined", "guest_left", "guest_back"} <= set(actions)


async def test_a_guest_invites_others(w: World) -> None:
    _, link = await invited(w)
    grant = await w.service.join(link, JoinRequest("Zoé"))
    other = await w.service.guest_invite(grant.refresh)
    assert (await w.service.look(secret(other))).title == "Lauzelle, Senne"


async def test_bounds(w: World) -> None:
    meeting, link = await invited(w)
    for name in ("A", "B", "C"):
        await w.service.join(link, JoinRequest(name))
    assert (await refusal(w.service.join(link, JoinRequest("D")))).code is Code.TOO_MANY
    for _ in range(3):
        await w.service.invite("it:ann", meeting)
    assert (await refusal(w.service.invite("it:ann", meeting))).code is Code.TOO_MANY


async def test_a_full_disk_lets_no_guest_in_and_still_removes(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    meeting, link = await invited(w)
    grant = await w.service.join(link, JoinRequest("Zoé"))

    async def full(*_: AuditRecord) -> None:
        raise Refusal(Code.STORAGE_FULL, "full")

    with monkeypatch.context() as disk:
        disk.setattr(w.store, "put_guest", full)
        disk.setattr(w.store, "put_meeting", full)
        disk.setattr(w.store, "revoke_invitations", full)
        disk.setattr(w.store, "put_invitation", full)
        assert (await refusal(w.service.invite("it:ann", meeting))).code is Code.STORAGE_FULL
        assert (await refusal(w.service.join(link, JoinRequest("Max")))).code is Code.STORAGE_FULL
        await w.service.remove("it:ann", meeting, grant.identity)
        assert w.service.admit(Grants(grant.identity, w.media_of(meeting))) is not None
        await w.service.revoke_invitations("it:ann", meeting)
        assert (await refusal(w.service.look(link))).code is Code.LINK_REVOKED
    await w.service.turn()
    record = await w.store.invitation_by_secret(digest(link))
    assert record is not None
    assert record.revoked_at is not None
    guest = await w.store.guest(grant.identity)
    assert guest is not None
    assert guest.removed


@pytest.mark.parametrize("name", ["", "   ", "\u200b\u200b", "x" * 61, "\n\t", "\u0301", "x" * 100_000])
async def test_names_that_nobody_could_read(w: World, name: str) -> None:
    _, link = await invited(w)
    assert (await refusal(w.service.join(link, JoinRequest(name)))).code is Code.BAD_REQUEST


async def test_someone_who_is_not_there_cannot_be_removed(w: World) -> None:
    meeting, _ = await invited(w)
    assert (await refusal(w.service.remove("it:ann", meeting, "guest:nobody"))).code is Code.NOT_FOUND
    assert (await refusal(w.service.remove("it:ann", meeting, f"room:{HAIN}"))).code is Code.NOT_FOUND


@given(st.text(max_size=80))
def test_a_printable_name_is_one_short_line(text: str) -> None:
    name = printable(text, 60)
    assert len(name) <= 60
    assert name == name.strip()
    assert name.isprintable()
    assert printable(name, 60) == name


def test_marks_do_not_pile_up() -> None:
    assert len(printable("e" + "\u0336" * 50, 60)) <= 4
    assert printable("Ngũgĩ wa Thiong’o 🙂", 60) == "Ngũgĩ wa Thiong’o 🙂"


async def test_places_of_those_who_left_or_never_came_are_free_again(w: World) -> None:
    _, link = await invited(w)
    grants = [await w.service.join(link, JoinRequest(f"Guest {number}")) for number in range(3)]
    with pytest.raises(Refusal) as full:
        await w.service.join(link, JoinRequest("One too many"))
    assert full.value.problem.code is Code.TOO_MANY
    await w.service.leave(grants[0].refresh)
    await w.service.join(link, JoinRequest("In their place"))
    await w.wait(121)
    await w.service.join(link, JoinRequest("In the place of one who never came"))


async def test_one_link_lets_so_many_in_at_once(tmp_path: Path) -> None:
    async with world(tmp_path, replace(SETTINGS, guests_lately=2)) as w:
        for room in (LAUZELLE, SENNE):
            await w.connect(room)
        _, link = await invited(w)
        for number in range(2):
            await w.service.join(link, JoinRequest(f"Guest {number}"))
        with pytest.raises(Refusal, match="at once"):
            await w.service.join(link, JoinRequest("Too soon"))
        await w.wait(11)
        await w.service.join(link, JoinRequest("Later"))
