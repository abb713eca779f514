"""What an ONVIF camera answers, as XML; the tests hold it against ONVIF's public WSDL and schema files."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Collection
from datetime import datetime
from xml.sax.saxutils import escape

from devices.onvif.soap import DEVICE, ENVELOPE, MEDIA, MEDIA2, PTZ, SCHEMA

SPACES = "http://www.onvif.org/ver10/tptz"
ERRORS = "http://www.onvif.org/ver10/error"


class NoAction(Exception):
    """The camera does not do that; `code` is the fault's subcode."""

    def __init__(self, reason: str, code: str = "ActionNotSupported") -> None:
        super().__init__(reason)
        self.code = code


def decoded(text: str) -> bytes:
    """Base64; raises ValueError."""
    try:
        return b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def envelope(body: str) -> bytes:
    """An answer."""
    spaces = {"tds": DEVICE, "trt": MEDIA, "tr2": MEDIA2, "tptz": PTZ, "tt": SCHEMA, "ter": ERRORS}
    names = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in spaces.items())
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}<e:Envelope xmlns:e="{ENVELOPE}" {names}><e:Body>{body}</e:Body></e:Envelope>'.encode()


def fault(code: str, subcode: str, reason: str) -> bytes:
    """A refusal (SOAP 1.2 part 1, 5.4)."""
    return envelope(
        f"<e:Fault><e:Code><e:Value>e:{code}</e:Value><e:Subcode><e:Value>ter:{subcode}</e:Value></e:Subcode></e:Code>"
        f'<e:Reason><e:Text xml:lang="en">{escape(reason)}</e:Text></e:Reason></e:Fault>'
    )


def done(name: str, token: str = "") -> str:
    """A command was carried out."""
    inner = f"<tptz:PresetToken>{escape(token)}</tptz:PresetToken>" if name == "SetPreset" else ""
    return f"<tptz:{name}Response>{inner}</tptz:{name}Response>"


def date_and_time(now: datetime) -> str:
    """Its clock."""
    return (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
        "<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>CET-1CEST</tt:TZ></tt:TimeZone><tt:UTCDateTime>"
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date>"
        "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )


def stream_uri(uri: str) -> str:
    """Where its pictures are."""
    return (
        f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{escape(uri)}</tt:Uri>"
        "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>"
        "<tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"
    )


def status(pan: float, tilt: float, zoom: float, moving: bool, now: datetime) -> str:
    """Where it looks."""
    state = "MOVING" if moving else "IDLE"
    return (
        "<tptz:GetStatusResponse><tptz:PTZStatus><tt:Position>"
        f'<tt:PanTilt x="{pan:.3f}" y="{tilt:.3f}" space="{SPACES}/PanTiltSpaces/PositionGenericSpace"/>'
        f'<tt:Zoom x="{zoom:.3f}" space="{SPACES}/ZoomSpaces/PositionGenericSpace"/></tt:Position>'
        f"<tt:MoveStatus><tt:PanTilt>{state}</tt:PanTilt><tt:Zoom>{state}</tt:Zoom></tt:MoveStatus>"
        f"<tt:UtcTime>{now:%Y-%m-%dT%H:%M:%SZ}</tt:UtcTime></tptz:PTZStatus></tptz:GetStatusResponse>"
    )


def presets(named: dict[str, str]) -> str:
    """Its positions."""
    each = "".join(
        f'<tptz:Preset token="{escape(token)}"><tt:Name>{escape(name)}</tt:Name></tptz:Preset>'
        for token, name in named.items()
    )
    return f"<tptz:GetPresetsResponse>{each}</tptz:GetPresetsResponse>"


def constant(name: str, base: str, *, second: bool = False) -> str:
    """What never changes; raises NoAction for what it does not know. `second`: of a camera with only the second Media."""
    known = {**_CONSTANT, **_SECOND} if second else _CONSTANT
    if name not in known:
        raise NoAction(f"{name} is not supported")
    return known[name].replace("{base}", base)


def second_stream_uri(uri: str) -> str:
    """Where its pictures are, by the second Media service."""
    return f"<tr2:GetStreamUriResponse><tr2:Uri>{escape(uri)}</tr2:Uri></tr2:GetStreamUriResponse>"


def _services(*named: tuple[str, str]) -> str:
    each = "".join(
        f"<tds:Service><tds:Namespace>{name}</tds:Namespace><tds:XAddr>{{base}}/onvif/{path}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
        for name, path in named
    )
    return f"<tds:GetServicesResponse>{each}</tds:GetServicesResponse>"


_CONSTANT = {
    "GetServices": _services((DEVICE, "device_service"), (MEDIA, "media_service"), (PTZ, "ptz_service")),
    "GetDeviceInformation": (
        "<tds:GetDeviceInformationResponse><tds:Manufacturer>roomctl</tds:Manufacturer><tds:Model>Emulated camera</tds:Model>"
        "<tds:FirmwareVersion>1.0</tds:FirmwareVersion><tds:SerialNumber>0001</tds:SerialNumber>"
        "<tds:HardwareId>emulator</tds:HardwareId></tds:GetDeviceInformationResponse>"
    ),
    "GetCapabilities": (
        "<tds:GetCapabilitiesResponse><tds:Capabilities>"
        "<tt:Device><tt:XAddr>{base}/onvif/device_service</tt:XAddr></tt:Device>"
        "<tt:Media><tt:XAddr>{base}/onvif/media_service</tt:XAddr><tt:StreamingCapabilities/></tt:Media>"
        "<tt:PTZ><tt:XAddr>{base}/onvif/ptz_service</tt:XAddr></tt:PTZ>"
        "</tds:Capabilities></tds:GetCapabilitiesResponse>"
    ),
    "GetProfiles": (
        '<trt:GetProfilesResponse><trt:Profiles token="main" fixed="true"><tt:Name>Main</tt:Name>'
        '<tt:VideoSourceConfiguration token="source"><tt:Name>Source</tt:Name><tt:UseCount>1</tt:UseCount>'
        '<tt:SourceToken>sensor</tt:SourceToken><tt:Bounds x="0" y="0" width="1920" height="1080"/>'
        "</tt:VideoSourceConfiguration>"
        '<tt:VideoEncoderConfiguration token="encoder"><tt:Name>H264</tt:Name><tt:UseCount>1</tt:UseCount>'
        "<tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution>"
        "<tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>30</tt:FrameRateLimit>"
        "<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>"
        "<tt:H264><tt:GovLength>30</tt:GovLength><tt:H264Profile>Main</tt:H264Profile></tt:H264>"
        "<tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type><tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address>"
        "<tt:Port>0</tt:Port><tt:TTL>1</tt:TTL><tt:AutoStart>false</tt:AutoStart></tt:Multicast>"
        "<tt:SessionTimeout>PT60S</tt:SessionTimeout></tt:VideoEncoderConfiguration>"
        '<tt:PTZConfiguration token="ptz"><tt:Name>PTZ</tt:Name><tt:UseCount>1</tt:UseCount><tt:NodeToken>node</tt:NodeToken>'
        f"<tt:DefaultContinuousPanTiltVelocitySpace>{SPACES}/PanTiltSpaces/VelocityGenericSpace"
        "</tt:DefaultContinuousPanTiltVelocitySpace>"
        f"<tt:DefaultContinuousZoomVelocitySpace>{SPACES}/ZoomSpaces/VelocityGenericSpace"
        "</tt:DefaultContinuousZoomVelocitySpace></tt:PTZConfiguration>"
        "</trt:Profiles></trt:GetProfilesResponse>"
    ),
}


_SECOND = {  # ONVIF Media 2 (ver20), and the Device service that names it
    "GetCapabilities": (
        "<tds:GetCapabilitiesResponse><tds:Capabilities>"
        "<tt:Device><tt:XAddr>{base}/onvif/device_service</tt:XAddr></tt:Device>"
        "<tt:PTZ><tt:XAddr>{base}/onvif/ptz_service</tt:XAddr></tt:PTZ>"
        "</tds:Capabilities></tds:GetCapabilitiesResponse>"
    ),
    "GetServices": _services((DEVICE, "device_service"), (MEDIA2, "media2_service"), (PTZ, "ptz_service")),
    "GetProfiles": (
        '<tr2:GetProfilesResponse><tr2:Profiles token="main" fixed="true"><tr2:Name>Main</tr2:Name><tr2:Configurations>'
        '<tr2:PTZ token="ptz"><tt:Name>PTZ</tt:Name><tt:UseCount>1</tt:UseCount><tt:NodeToken>node</tt:NodeToken>'
        f"<tt:DefaultContinuousPanTiltVelocitySpace>{SPACES}/PanTiltSpaces/VelocityGenericSpace"
        "</tt:DefaultContinuousPanTiltVelocitySpace>"
        f"<tt:DefaultContinuousZoomVelocitySpace>{SPACES}/ZoomSpaces/VelocityGenericSpace"
        "</tt:DefaultContinuousZoomVelocitySpace></tr2:PTZ></tr2:Configurations></tr2:Profiles>"
        "</tr2:GetProfilesResponse>"
    ),
}


def with_axes(said: str, axes: Collection[str]) -> str:
    """Profiles that name a space of speeds for these axes alone."""
    for axis, name in (("pan_tilt", "PanTilt"), ("zoom", "Zoom")):
        if axis not in axes:
            space = f"DefaultContinuous{name}VelocitySpace"
            said = re.sub(f"<tt:{space}>.*?</tt:{space}>", "", said)
    return said


def probe_match(to: str, identity: str, name: str, address: str) -> bytes:
    """The answer to a WS-Discovery Probe with message id `to`."""
    addressing = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
    discovery = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="{ENVELOPE}" xmlns:a="{addressing}"'
        f' xmlns:d="{discovery}" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<a:Action>{discovery}/ProbeMatches</a:Action><a:RelatesTo>{escape(to)}</a:RelatesTo>"
        "<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To></e:Header><e:Body><d:ProbeMatches>"
        f"<d:ProbeMatch><a:EndpointReference><a:Address>{escape(identity)}</a:Address></a:EndpointReference>"
        "<d:Types>dn:NetworkVideoTransmitter</d:Types>"
        f"<d:Scopes>onvif://www.onvif.org/type/ptz onvif://www.onvif.org/name/{escape(name)}"
        " onvif://www.onvif.org/hardware/Emulated%20camera</d:Scopes>"
        f"<d:XAddrs>{escape(address)}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>"
        "</d:ProbeMatches></e:Body></e:Envelope>"
    ).encode()
