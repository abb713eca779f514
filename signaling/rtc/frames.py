"""Signal messages as WebSocket frames: protobuf in binary frames, proto3 JSON in text frames.

The server answers in the kind the client used; until it spoke, binary.
"""

from __future__ import annotations

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from livekit.protocol.rtc import SignalRequest, SignalResponse

from wire.problems import Code, Refusal

_WITH_SDP = ("offer", "answer", "sync_state")
_MAX_MARKS = 2000  # braces, brackets and commas of a JSON frame: each costs 100 times what a letter does


def decode(frame: bytes | str, *, max_message: int, max_sdp: int) -> SignalRequest:
    """One request. Raises Refusal (bad_request, too_large); sizes in bytes."""
    size = len(frame) if isinstance(frame, bytes) else len(frame.encode("utf-8", "surrogatepass"))
    if size > max_sdp:
        raise Refusal(Code.TOO_LARGE, f"a signal message may have at most {max_sdp} bytes")
    request = SignalRequest()
    try:
        if isinstance(frame, bytes):
            request.ParseFromString(frame)
        else:
            if sum(map(frame.count, "{[,")) > _MAX_MARKS:
                raise Refusal(Code.TOO_LARGE, f"a signal message in JSON may have at most {_MAX_MARKS} parts")
            json_format.Parse(frame, request, ignore_unknown_fields=True, max_recursion_depth=20)
    except (DecodeError, json_format.ParseError, ValueError, RecursionError):
        kind = "protobuf" if isinstance(frame, bytes) else "JSON"
        raise Refusal(Code.BAD_REQUEST, f"not a SignalRequest in {kind}") from None
    if size > max_message and request.WhichOneof("message") not in _WITH_SDP:
        raise Refusal(Code.TOO_LARGE, f"a signal message without SDP may have at most {max_message} bytes")
    return request


def encode(response: SignalResponse, *, text: bool) -> bytes | str:
    """One frame of a response."""
    return encode_json(response) if text else response.SerializeToString()


def encode_json(message: Message) -> str:
    """Proto3 JSON, without spaces."""
    return json_format.MessageToJson(message, indent=None, preserving_proto_field_name=False)
