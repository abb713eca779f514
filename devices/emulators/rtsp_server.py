"""A small RTSP server on GStreamer's, run by the system's Python as a process of its own (`devices.emulators.rtsp`).

Arguments: port, name, password (both may be empty). It reads a line from its input and answers with one: `sessions`
with how many there are, `freeze` and `go on` (every picture then bears the time of the first, as a camera that hangs).
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

PICTURE = "video/x-raw,width=320,height=180,framerate=15/1"
LAUNCH = (
    f"( videotestsrc is-live=true pattern=ball ! {PICTURE} ! x264enc tune=zerolatency speed-preset=ultrafast"
    " key-int-max=15 ! identity name=tap ! rtph264pay name=pay0 pt=96 )"
)


class Camera:
    """One stream at `/live`, encoded once for all who watch."""

    def __init__(self, port: str, name: str, password: str) -> None:
        self.frozen = False
        self._stamp: int | None = None
        self.server = GstRtspServer.RTSPServer.new()
        self.server.set_address("127.0.0.1")
        self.server.set_service(port)
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(LAUNCH)
        factory.set_shared(True)
        factory.connect("media-configure", self._configure)
        if name:
            self._protect(factory, name, password)
        self.server.get_mount_points().add_factory("/live", factory)
        self.server.attach(None)

    def _protect(self, factory: Any, name: str, password: str) -> None:
        auth = GstRtspServer.RTSPAuth.new()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        token = GstRtspServer.RTSPToken.new()
        token.set_string("media.factory.role", "user")
        auth.add_digest(name, password, token)
        self.server.set_auth(auth)
        allowed = Gst.Structure.new_empty("user")
        allowed.set_value("media.factory.access", True)
        allowed.set_value("media.factory.construct", True)
        factory.add_role_from_structure(allowed)

    def _configure(self, factory: Any, media: Any) -> None:
        tap = media.get_element().get_by_name_recurse_up("tap") or media.get_element().get_by_name("tap")
        tap.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, self._picture)

    def _picture(self, pad: Any, info: Any) -> Any:
        buffer = info.get_buffer()
        if not self.frozen:
            self._stamp = buffer.pts
        else:
            buffer.pts = buffer.dts = self._stamp
        return Gst.PadProbeReturn.OK

    def obey(self, line: str) -> str:
        """One line in, one out."""
        if line == "sessions":
            return str(self.server.get_session_pool().get_n_sessions())
        self.frozen = line == "freeze"
        return "done"


def main() -> None:
    """Until the input ends."""
    Gst.init(None)
    loop = GLib.MainLoop()
    camera = Camera(*sys.argv[1:4])

    def listen() -> None:
        for line in sys.stdin:
            print(camera.obey(line.strip()), flush=True)
        loop.quit()

    threading.Thread(target=listen, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
