"""Every sentence about a room's health and availability, as catalog keys; pages put them into the person's language.

Places: `device` is the device's name as its agent calls it; `since` is Unix seconds, shown as a time of day in the
reader's zone; `seconds` is a number.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Wording(NamedTuple):
    """How a notice reads."""

    en: str
    fr: str


AGENT_SILENT: Final = "health.agent_silent"
AGENT_EXPECTED: Final = "health.agent_expected"
AGENT_STARTING: Final = "health.agent_starting"
CAMERA_SILENT: Final = "health.camera_silent"
DISPLAY_SILENT: Final = "health.display_silent"
MIC_SILENT: Final = "health.mic_silent"
SPEAKER_SILENT: Final = "health.speaker_silent"
SECOND_DISPLAY_SILENT: Final = "health.second_display_silent"
CONTENT_SILENT: Final = "health.content_silent"
ASIDE_SILENT: Final = "health.aside_silent"
DISPLAY_REPLACED: Final = "health.display_replaced"
DEVICE_CONNECTING: Final = "health.device_connecting"
DEVICE_STALE: Final = "health.device_stale"
DEVICE_WARNS: Final = "health.device_warns"
SIGNAL_BAD: Final = "health.signal_bad"
SIGNAL_STALE: Final = "health.signal_stale"
CLOCK_WRONG: Final = "health.clock_wrong"
DISK_FULL: Final = "health.disk_full"
MEDIA_LOST: Final = "health.media_lost"
MAINTENANCE: Final = "health.maintenance"

CHECK_COMPUTER: Final = "health.next.check_computer"
CHECK_CAMERA: Final = "health.next.check_camera"
CHECK_DISPLAY: Final = "health.next.check_display"
CHECK_AUDIO: Final = "health.next.check_audio"
CHECK_CONTENT: Final = "health.next.check_content"
CHECK_SENSOR: Final = "health.next.check_sensor"
CHECK_DEVICE: Final = "health.next.check_device"
CHECK_CLOCK: Final = "health.next.check_clock"
CHECK_NETWORK: Final = "health.next.check_network"
FREE_DISK: Final = "health.next.free_disk"
WAIT: Final = "health.next.wait"

BUSY: Final = "call.busy"

NOTICES: Final[dict[str, Wording]] = {
    AGENT_SILENT: Wording("No news from the room since {since}.", "Plus de nouvelles de la salle depuis {since}."),
    AGENT_EXPECTED: Wording("The room has not reported yet.", "La salle ne s’est pas encore annoncée."),
    AGENT_STARTING: Wording("The room is starting.", "La salle démarre."),
    CAMERA_SILENT: Wording(
        "The camera has not answered since {since}.",
        "La caméra ne répond plus depuis {since}.",
    ),
    DISPLAY_SILENT: Wording(
        "The screen has not answered since {since}.",
        "L’écran ne répond plus depuis {since}.",
    ),
    MIC_SILENT: Wording(
        "The microphone has not answered since {since}.",
        "Le micro ne répond plus depuis {since}.",
    ),
    SPEAKER_SILENT: Wording(
        "The loudspeaker has not answered since {since}.",
        "Le haut-parleur ne répond plus depuis {since}.",
    ),
    SECOND_DISPLAY_SILENT: Wording(
        "The second screen has not answered since {since}.",
        "Le second écran ne répond plus depuis {since}.",
    ),
    CONTENT_SILENT: Wording(
        "The input for laptops has not answered since {since}.",
        "L’entrée pour ordinateur portable ne répond plus depuis {since}.",
    ),
    ASIDE_SILENT: Wording(
        "The device “{device}” has not answered since {since}, which does not affect meetings.",
        "L’appareil « {device} » ne répond plus depuis {since}, ce qui ne gêne pas les réunions.",
    ),
    DISPLAY_REPLACED: Wording(
        "The screen has not answered since {since}. The picture is on the second screen.",
        "L’écran ne répond plus depuis {since}. L’image passe sur le second écran.",
    ),
    DEVICE_CONNECTING: Wording("{device}: connecting.", "{device} : connexion en cours."),
    DEVICE_STALE: Wording("{device}: no news since {since}.", "{device} : plus de nouvelles depuis {since}."),
    DEVICE_WARNS: Wording("{device}: reports a problem since {since}.", "{device} : problème signalé depuis {since}."),
    SIGNAL_BAD: Wording(
        "The room’s computer reports a problem since {since}.",
        "L’ordinateur de la salle signale un problème depuis {since}.",
    ),
    SIGNAL_STALE: Wording(
        "A measure of the room’s computer is missing since {since}.",
        "Une mesure de l’ordinateur de la salle manque depuis {since}.",
    ),
    CLOCK_WRONG: Wording(
        "The clock of the room’s computer is off by {seconds} s.",
        "L’horloge de l’ordinateur de la salle se trompe de {seconds} s.",
    ),
    DISK_FULL: Wording(
        "The disk of the room’s computer is full.",
        "Le disque de l’ordinateur de la salle est plein.",
    ),
    MEDIA_LOST: Wording(
        "The room has had no picture and sound of the meeting since {since}.",
        "La salle n’a plus l’image ni le son de la réunion depuis {since}.",
    ),
    MAINTENANCE: Wording("In maintenance.", "En entretien."),
    CHECK_COMPUTER: Wording(
        "Check that the room’s computer is on and has network.",
        "Vérifier que l’ordinateur de la salle est allumé et relié au réseau.",
    ),
    CHECK_CAMERA: Wording(
        "Check the camera’s cables and power.",
        "Vérifier les câbles et l’alimentation de la caméra.",
    ),
    CHECK_DISPLAY: Wording(
        "Check the screen’s network cable, then its power.",
        "Vérifier le câble réseau de l’écran, puis sa prise.",
    ),
    CHECK_AUDIO: Wording("Plug the sound cable in again.", "Rebrancher le câble du son."),
    CHECK_CONTENT: Wording("Plug the table cable in again.", "Rebrancher le câble de la table."),
    CHECK_SENSOR: Wording(
        "Check the sensor’s battery and its gateway.",
        "Vérifier la pile du capteur et sa passerelle.",
    ),
    CHECK_DEVICE: Wording("See what the device last said.", "Regarder ce que l’appareil a dit en dernier."),
    CHECK_CLOCK: Wording(
        "Check the time service of the room’s computer.",
        "Vérifier le service d’heure de l’ordinateur de la salle.",
    ),
    CHECK_NETWORK: Wording("Check the network of the room.", "Vérifier le réseau de la salle."),
    FREE_DISK: Wording(
        "Free space on the disk of the room’s computer.",
        "Libérer de la place sur le disque de l’ordinateur de la salle.",
    ),
    WAIT: Wording("Wait a moment.", "Patienter un instant."),
    BUSY: Wording("In a meeting.", "En réunion."),
}
