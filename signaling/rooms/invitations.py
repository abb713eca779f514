"""Guest links: unguessable secrets of which only the SHA-256 is kept, exchanged for short-lived tokens.

A link is opened (`look`), exchanged (`join`) for a guest identity, a media token and a refresh secret; the refresh
secret gives the next token while the meeting runs. Revoking a link stops new guests; those who are in stay until they
leave or are removed. Times are Unix seconds.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import unicodedata
from dataclasses import replace
from typing import Final

from signaling.media import Grants
from signaling.rooms.meeting import MeetingState
from signaling.rooms.ports import Records, TokenMint
from signaling.rooms.settings import RoomSettings
from signaling.store.records import AuditRecord, GuestRecord, InvitationRecord
from wire.meetings import Invitation, JoinGrant, JoinRequest
from wire.problems import Code, Refusal

SECRET_BYTES: Final = 24  # 192 bits
MAX_SECRET: Final = 128  # characters anyone may hand us
MAX_NAME: Final = 60
ON_THE_WAY: Final = 120.0  # seconds a guest may take from being let in to being there
LATELY: Final = 10.0  # seconds over which the people of one link are counted
LANGUAGES: Final = ("fr", "nl", "de", "en")
GUEST: Final = "guest:"
_log = logging.getLogger(__name__)
_DROPPED = ("Cc", "Cf", "Cs", "Co", "Cn")  # controls, direction marks, lone surrogates, private and unassigned


def digest(secret: str) -> str:
    """SHA-256 of a secret, hex: what the store keeps."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def printable(text: str, limit: int) -> str:
    """`text` in NFC on one line without controls, marks piled up or blanks around; empty where nothing or too much is left."""
    if len(text) > 10 * limit:
        return ""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if marks > 3:
            continue
        if character.isspace():
            kept.append(" ")
        elif kind not in _DROPPED:
            kept.append(character)
    clean = " ".join("".join(kept).split())
    visible = any(unicodedata.category(character)[0] in "LNPS" for character in clean)
    return clean if visible and len(clean) <= limit else ""


class Invitations:
    """Links and guests of all meetings. Guests of running meetings are also kept here, to answer admission at once."""

    def __init__(self, records: Records, tokens: TokenMint, settings: RoomSettings) -> None:
        self._records = records
        self._tokens = tokens
        self._settings = settings
        self._guests: dict[str, GuestRecord] = {}
        self._unsaved: dict[str, tuple[AuditRecord, ...]] = {}
        self._revoked: dict[str, tuple[float, str]] = {}  # meeting -> when and by whom, until it is recorded
        self._links: dict[str, list[float]] = {}  # meeting -> when each link was made

    # --- links ----------------------------------------------------------------------------------------------------

    async def make(self, actor: str, meeting: str, now: float) -> Invitation:
        """A new link. Raises Refusal(too_many) past the bound of live links of a meeting."""
        live = [made for made in self._links.get(meeting, []) if made > now - self._settings.invitation_ttl]
        if len(live) >= self._settings.invitations_per_meeting:
            raise Refusal(Code.TOO_MANY, "this meeting has too many guest links; revoke them first")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        id = secrets.token_hex(8)
        expires = now + self._settings.invitation_ttl
        record = InvitationRecord(id, meeting, digest(secret), actor, expires)
        await self._records.put_invitation(record, AuditRecord(now, actor, "invited", meeting, {"invitation": id}))
        self._links[meeting] = [*live, now]
        return Invitation(id, f"{self._settings.public_url.rstrip('/')}/join/{secret}", expires)

    async def revoke(self, actor: str, meeting: str, now: float) -> None:
        """Revoke every link of a meeting: at once, and recorded as soon as the disk allows."""
        self._revoked[meeting] = (now, actor)
        self._links.pop(meeting, None)
        await self._record_revocations()

    async def _record_revocations(self) -> None:
        for meeting, (at, actor) in list(self._revoked.items()):
            try:
                line = AuditRecord(at, actor, "invitations_revoked", meeting)
                await self._records.revoke_invitations(meeting, at, line)
            except Refusal as refusal:
                _log.error("revoked links of meeting %s are not recorded yet: %s", meeting, refusal)
                return
            self._revoked.pop(meeting, None)

    async def find(self, secret: str) -> InvitationRecord:
        """The link of a secret. Raises Refusal(link_unknown)."""
        record = await self._records.invitation_by_secret(digest(secret)) if 0 < len(secret) <= MAX_SECRET else None
        if record is None:
            raise Refusal(Code.LINK_UNKNOWN, "there is no such link")
        return record

    def is_revoked(self, record: InvitationRecord) -> bool:
        """Whether the link was revoked, recorded or not."""
        made = record.expires_at - self._settings.invitation_ttl
        pending = self._revoked.get(record.meeting)
        return record.revoked_at is not None or (pending is not None and made <= pending[0])

    def check(self, record: InvitationRecord, now: float) -> None:
        """Raise Refusal (link_revoked, link_expired) unless the link still lets people in."""
        if self.is_revoked(record):
            raise Refusal(Code.LINK_REVOKED, "this link was revoked")
        if record.expires_at <= now:
            raise Refusal(Code.LINK_EXPIRED, "this link has expired")

    # --- guests ---------------------------------------------------------------------------------------------------

    async def adopt(self, meeting: str) -> list[str]:
        """After a restart: know the guests of a running meeting again. Returns the removed ones."""
        guests = await self._records.guests(meeting)
        self._guests.update({guest.id: guest for guest in guests})
        return [guest.id for guest in guests if guest.removed]

    def forget(self, meeting: str) -> None:
        """The meeting is over."""
        self._guests = {id: guest for id, guest in self._guests.items() if guest.meeting != meeting}
        self._links.pop(meeting, None)

    def guest(self, identity: str) -> GuestRecord | None:
        """A guest of a running meeting."""
        return self._guests.get(identity)

    def _check_bounds(self, link: InvitationRecord, state: MeetingState, now: float) -> None:
        """Raises Refusal(too_many): of those in the meeting or on their way, of one link lately, of all ever let in."""
        settings = self._settings
        mine = [guest for guest in self._guests.values() if guest.meeting == state.id]
        here = sum(
            guest.left_at is None and (guest.id in state.people or now - guest.joined_at < ON_THE_WAY) for guest in mine
        )
        if here >= settings.guests_per_meeting or len(mine) >= settings.guests_ever:
            raise Refusal(Code.TOO_MANY, "too many people came by link to this meeting")
        if (
            sum(guest.invitation == link.id and now - guest.joined_at < LATELY for guest in mine)
            >= settings.guests_lately
        ):
            raise Refusal(Code.TOO_MANY, f"too many people use this link at once; try again in {LATELY:.0f} s")

    async def join(self, link: InvitationRecord, state: MeetingState, request: JoinRequest, now: float) -> JoinGrant:
        """Exchange a link for a way into the meeting. Raises Refusal (bad_request, too_many)."""
        name = printable(request.name, MAX_NAME)
        if not name:
            raise Refusal(Code.BAD_REQUEST, f"name is 1 to {MAX_NAME} printable characters")
        self._check_bounds(link, state, now)
        refresh = secrets.token_urlsafe(SECRET_BYTES)
        guest = GuestRecord(
            id=GUEST + secrets.token_hex(8),
            meeting=state.id,
            invitation=link.id,
            name=name,
            language=request.language if request.language in LANGUAGES else LANGUAGES[0],
            refresh_hash=digest(refresh),
            joined_at=now,
        )
        self._guests[guest.id] = guest  # counted before the store answers, so that the bound holds
        try:
            await self._records.put_guest(
                guest, AuditRecord(now, guest.id, "guest_joined", state.id, {"link": link.id})
            )
        except BaseException:
            del self._guests[guest.id]
            raise
        return self.grant(guest, state, refresh)

    async def known(self, refresh: str) -> GuestRecord:
        """The guest of a refresh secret. Raises Refusal (token_invalid, forbidden for who was removed)."""
        guest = await self._records.guest_by_refresh(digest(refresh)) if 0 < len(refresh) <= MAX_SECRET else None
        if guest is None:
            raise Refusal(Code.TOKEN_INVALID, "this refresh secret is not known")
        if guest.removed:
            raise Refusal(Code.FORBIDDEN, "you were taken out of this meeting")
        return guest

    async def came(self, guest: GuestRecord, now: float) -> None:
        """A guest who had left is back."""
        if guest.left_at is not None:
            await self._put(replace(guest, left_at=None), AuditRecord(now, guest.id, "guest_back", guest.meeting))

    async def left(self, guest: GuestRecord, now: float) -> None:
        """A guest leaves."""
        if guest.left_at is None:
            await self._put(replace(guest, left_at=now), AuditRecord(now, guest.id, "guest_left", guest.meeting))

    async def remove(self, identity: str, now: float) -> None:
        """Never let a guest in again; people who are no guests are ignored."""
        guest = self._guests.get(identity)
        if guest is not None and not guest.removed:
            await self._put(replace(guest, removed=True, left_at=guest.left_at or now))

    def grant(self, guest: GuestRecord, state: MeetingState, refresh: str) -> JoinGrant:
        """A fresh token for a guest."""
        ttl = self._settings.token_ttl
        grants = Grants(guest.id, state.media, name=guest.name, attributes={"kind": "person"})
        return JoinGrant(
            url=self._settings.media_url,
            token=self._tokens.mint(grants, ttl),
            identity=guest.id,
            meeting=state.id,
            title=state.title,
            expires_in=float(ttl),
            refresh=refresh,
        )

    async def _put(self, guest: GuestRecord, *audit: AuditRecord) -> None:
        """Remember, then record: what takes people out must work on a full disk too."""
        self._guests[guest.id] = guest
        try:
            await self._records.put_guest(guest, *audit)
        except Refusal as refusal:
            _log.error("guest %s is not recorded yet: %s", guest.id, refusal)
            self._unsaved[guest.id] = audit
        else:
            self._unsaved.pop(guest.id, None)

    @property
    def owing(self) -> int:
        """How many guests have changes that the store has not taken yet."""
        return len(self._unsaved) + len(self._revoked)

    async def settle_debts(self) -> None:
        """Try again to record what a full disk refused; stops at the first refusal."""
        await self._record_revocations()
        for id, audit in list(self._unsaved.items()):
            self._unsaved.pop(id)
            if id in self._guests:
                await self._put(self._guests[id], *audit)
            if id in self._unsaved:
                return
