"""The test picture of a room: names center and room, shows the center's time, and visibly moves.

Drawn once as YUV 4:2:0 planes (BT.601, video range); each frame copies them and touches only the clock and the dot.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta, timezone, tzinfo
from math import cos, tau
from typing import Any, Final
from zlib import crc32
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from av import VideoFrame
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from wire.places import Center, Room

WIDTH: Final = 640  # pixels
HEIGHT: Final = 360
FRAME_RATE: Final = 15  # frames/s
PERIOD: Final = 6.0  # seconds the dot takes to go and come back

MARGIN, LINE_Y, SQUARE = 40, 278, 44  # of the link line and its end squares; pages write below it
DOT = 36  # diameter, even so that chroma fits
GROUND, INK, SECOND, LINE = "#14181c", "#f2f4f5", "#aab4bb", "#4a545c"
FONTS = ("LiberationSans-Bold.ttf", "DejaVuSans-Bold.ttf", "Arial_Bold.ttf")
DIGITS = "0123456789:"

Plane = NDArray[np.uint8]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


class Picture:
    """Draws the frames of one room."""

    def __init__(self, room: Room, center: Center) -> None:
        self._zone = _zone(center.timezone)
        self._write = _Lettering()
        colour = room_colour(room.id)
        self._luma, self._blue, self._red = _planes(self._draw_ground(room, center, colour))
        sprite = Image.new("RGB", (DOT, DOT), LINE)
        ImageDraw.Draw(sprite).rectangle((0, 0, DOT, DOT), fill=GROUND)
        ImageDraw.Draw(sprite).line((0, DOT // 2, DOT, DOT // 2), fill=LINE, width=4)
        ImageDraw.Draw(sprite).ellipse((0, 0, DOT - 1, DOT - 1), fill=colour)
        self._dot = _planes(sprite)
        self._digits = {digit: _planes(self._draw_digit(digit))[0] for digit in DIGITS}

    def frame(self, now: float) -> VideoFrame:
        """The picture at `now` (Unix seconds), without a timestamp."""
        luma, blue, red = self._luma.copy(), self._blue.copy(), self._red.copy()
        start, end = MARGIN + SQUARE, WIDTH - MARGIN - SQUARE - DOT
        x = round(start + (end - start) * (1 - cos(tau * (now % PERIOD) / PERIOD)) / 2) & ~1
        y = (LINE_Y - DOT // 2) & ~1
        luma[y : y + DOT, x : x + DOT] = self._dot[0]
        half = DOT // 2
        blue[y // 2 : y // 2 + half, x // 2 : x // 2 + half] = self._dot[1]
        red[y // 2 : y // 2 + half, x // 2 : x // 2 + half] = self._dot[2]
        self._put_clock(luma, now)
        planes = np.concatenate((luma.reshape(-1), blue.reshape(-1), red.reshape(-1)))
        return VideoFrame.from_ndarray(planes.reshape(HEIGHT * 3 // 2, WIDTH), format="yuv420p")

    def _put_clock(self, luma: Plane, now: float) -> None:
        text = datetime.fromtimestamp(now, self._zone).strftime("%H:%M:%S")
        x = WIDTH - MARGIN - sum(self._digits[digit].shape[1] for digit in text)
        for digit in text:
            glyph = self._digits[digit]
            height, width = glyph.shape
            luma[MARGIN : MARGIN + height, x : x + width] = glyph
            x += width

    def _draw_ground(self, room: Room, center: Center, colour: str) -> Image.Image:
        """All that does not move: the center's plate, both names, the link line."""
        image = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
        draw = ImageDraw.Draw(image)
        draw.rectangle((MARGIN, MARGIN - 4, MARGIN + 96, MARGIN + 44), fill=colour)
        code = center.id[:4].upper()
        draw.text((MARGIN + 48, MARGIN + 20), code, font=self._write.font(30), fill=GROUND, anchor="mm")
        self._write.fit(draw, (MARGIN, 112), room.name, 84, INK)
        self._write.fit(draw, (MARGIN, 204), center.name, 38, SECOND)
        draw.line((MARGIN, LINE_Y, WIDTH - MARGIN, LINE_Y), fill=LINE, width=4)
        for x in (MARGIN, WIDTH - MARGIN - SQUARE):
            draw.rectangle((x, LINE_Y - SQUARE // 2, x + SQUARE, LINE_Y + SQUARE // 2), fill=INK)
        return image

    def _draw_digit(self, digit: str) -> Image.Image:
        font = self._write.font(44)
        image = Image.new("RGB", (14 if digit == ":" else 26, 44), GROUND)
        ImageDraw.Draw(image).text((image.width / 2, 22), digit, font=font, fill=INK, anchor="mm")
        return image


def card(room: Room, center: Center, words: tuple[str, ...]) -> VideoFrame:
    """A still picture: names of room and center, and words below, a line each."""
    image, write = Image.new("RGB", (WIDTH, HEIGHT), GROUND), _Lettering()
    draw = ImageDraw.Draw(image)
    draw.rectangle((MARGIN, MARGIN, MARGIN + SQUARE, MARGIN + SQUARE), fill=room_colour(room.id))
    write.fit(draw, (MARGIN + SQUARE + 20, MARGIN - 4), room.name, 40, INK)
    write.fit(draw, (MARGIN, 112), center.name, 30, SECOND)
    for number, line in enumerate(words):
        write.fit(draw, (MARGIN, 190 + 54 * number), line, 40, INK)
    planes = np.concatenate([plane.reshape(-1) for plane in _planes(image)])
    return VideoFrame.from_ndarray(planes.reshape(HEIGHT * 3 // 2, WIDTH), format="yuv420p")


class _Lettering:
    """Draws words with a font of the machine, or Pillow's own one, which knows no accents."""

    def __init__(self) -> None:
        self._file = next((name for name in FONTS if _has_font(name)), None)

    def font(self, size: int) -> Font:
        """The font at `size` pixels."""
        return ImageFont.truetype(self._file, size) if self._file else ImageFont.load_default(size)

    def fit(self, draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int, fill: str) -> None:
        """Write `text` at most `size` pixels high and as wide as the picture allows."""
        if self._file is None:
            text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        while size > 16 and draw.textlength(text, font=self.font(size)) > WIDTH - 2 * MARGIN:
            size -= 2
        draw.text(at, text, font=self.font(size), fill=fill)


def room_colour(room_id: str) -> str:
    """A light colour of the room's own, always the same."""
    red, green, blue = ImageColor.getrgb(f"hsl({crc32(room_id.encode()) % 360}, 62%, 64%)")[:3]
    return f"#{red:02x}{green:02x}{blue:02x}"


def _has_font(name: str) -> bool:
    try:
        ImageFont.truetype(name, 16)
    except OSError:
        return False
    return True


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return timezone(timedelta())


def _planes(image: Image.Image) -> tuple[Plane, Plane, Plane]:
    """Y, Cb, Cr planes of an image of even size, in video range (BT.601: Y 16–235, C 16–240)."""
    full: NDArray[Any] = np.asarray(image.convert("YCbCr"), dtype=np.float32)
    luma = (16 + full[..., 0] * 219 / 255).round().astype(np.uint8)
    height, width = luma.shape
    chroma = 128 + (full[..., 1:] - 128) * 224 / 255
    small = chroma[: height & ~1, : width & ~1].reshape(height // 2, 2, width // 2, 2, 2).mean(axis=(1, 3))
    return luma, small[..., 0].round().astype(np.uint8), small[..., 1].round().astype(np.uint8)
