"""Fault notices of devices: their codes, and a sentence and a next step in French and English for the catalogs.

Every notice has the argument `device`, its name in the room. The next step's catalog key is the code + `.next`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """What people read: what it means, and what to do."""

    fr: str
    en: str
    fr_next: str
    en_next: str


NOTICES: dict[str, Sentence] = {
    "device.unreachable": Sentence(
        "{device} ne répond plus.",
        "{device} no longer answers.",
        "Vérifier son alimentation, puis son câble réseau.",
        "Check its power, then its network cable.",
    ),
    "device.garbage": Sentence(
        "{device} répond de façon incompréhensible.",
        "{device} answers in a way we cannot read.",
        "Vérifier l’adresse, le port et le protocole dans la configuration de la salle ; puis redémarrer l’appareil.",
        "Check the address, port and protocol in the room’s configuration; then restart the device.",
    ),
    "device.unplugged": Sentence(
        "{device} n’est pas branché.",
        "{device} is not plugged in.",
        "Rebrancher son câble sur l’ordinateur de la salle.",
        "Plug its cable back into the room’s computer.",
    ),
    "device.refused": Sentence(
        "{device} refuse d’être commandé.",
        "{device} refuses to be controlled.",
        "Fermer l’autre programme qui le commande.",
        "Close the other program that controls it.",
    ),
    "device.password": Sentence(
        "{device} refuse notre mot de passe.",
        "{device} refuses our password.",
        "Corriger son mot de passe dans la configuration de la salle.",
        "Correct its password in the room’s configuration.",
    ),
    "device.driver_crashed": Sentence(
        "Le pilote de {device} s’est arrêté sur une erreur.",
        "The driver of {device} stopped on an error.",
        "Envoyer le journal de la salle à l’informatique ; le pilote redémarre seul.",
        "Send the room’s log to IT; the driver starts again by itself.",
    ),
    "device.driver_blocked": Sentence(
        "Le pilote de {device} est bloqué.",
        "The driver of {device} is blocked.",
        "Envoyer le journal de la salle à qui a écrit le pilote ; redémarrer l’ordinateur de la salle pour le relancer.",
        "Send the room’s log to whoever wrote the driver; restart the room’s computer to start it again.",
    ),
    "device.fan": Sentence(
        "{device} signale un problème de ventilateur.",
        "{device} reports a fan problem.",
        "Nettoyer les grilles d’aération ; si cela continue, appeler le service après-vente.",
        "Clean the air grilles; if it goes on, call its service.",
    ),
    "device.lamp": Sentence(
        "{device} signale un problème de lampe.",
        "{device} reports a lamp problem.",
        "Remplacer la lampe.",
        "Replace the lamp.",
    ),
    "device.temperature": Sentence(
        "{device} est trop chaud.",
        "{device} is too hot.",
        "Dégager ses aérations et le laisser refroidir.",
        "Clear its air vents and let it cool down.",
    ),
    "device.cover": Sentence(
        "Un capot de {device} est ouvert.",
        "A cover of {device} is open.",
        "Refermer le capot.",
        "Close the cover.",
    ),
    "device.filter": Sentence(
        "Le filtre de {device} est encrassé.",
        "The filter of {device} is dirty.",
        "Nettoyer ou remplacer le filtre.",
        "Clean or replace the filter.",
    ),
    "device.not_announced": Sentence(
        "Aucun capteur ne s’annonce sous le nom de {device}.",
        "No sensor announces itself as {device}.",
        "Vérifier qu’il est appairé, et son identifiant dans la configuration de la salle.",
        "Check that it is paired, and its identifier in the room’s configuration.",
    ),
    "device.offline": Sentence(
        "Le capteur {device} est hors de portée ou sans pile.",
        "The sensor {device} is out of reach or has no battery.",
        "Remplacer sa pile, puis le rapprocher de sa passerelle.",
        "Replace its battery, then bring it nearer to its gateway.",
    ),
    "device.battery": Sentence(
        "La pile de {device} est presque vide.",
        "The battery of {device} is nearly empty.",
        "Remplacer sa pile.",
        "Replace its battery.",
    ),
    "device.certificate": Sentence(
        "Le certificat de {device} n’est pas reconnu.",
        "The certificate of {device} is not trusted.",
        "Indiquer dans la configuration de la salle l’autorité qui l’a signé, ou faire renouveler le certificat.",
        "Name the authority that signed it in the room’s configuration, or have the certificate renewed.",
    ),
    "device.on_battery": Sentence(
        "Le courant est coupé : {device} alimente la salle sur batterie.",
        "The power is cut: {device} feeds the room from its battery.",
        "Enregistrer le travail en cours ; vérifier le disjoncteur de la salle.",
        "Save what is open; check the room’s circuit breaker.",
    ),
    "device.battery_low": Sentence(
        "La batterie de {device} est presque vide : la salle va s’éteindre.",
        "The battery of {device} is nearly empty: the room will go off.",
        "Terminer la réunion maintenant.",
        "End the meeting now.",
    ),
    "device.replace_battery": Sentence(
        "La batterie de {device} est usée.",
        "The battery of {device} is worn out.",
        "Remplacer sa batterie.",
        "Replace its battery.",
    ),
    "device.stale": Sentence(
        "{device} n’est plus relié à l’ordinateur qui le surveille.",
        "{device} is no longer connected to the computer that watches it.",
        "Rebrancher son câble de données, puis redémarrer le pilote NUT.",
        "Plug its data cable back in, then restart the NUT driver.",
    ),
    "device.unknown_name": Sentence(
        "Le serveur ne connaît aucun appareil du nom donné à {device}.",
        "The server knows no device by the name given for {device}.",
        "Corriger le nom dans la configuration de la salle.",
        "Correct the name in the room’s configuration.",
    ),
    "device.no_picture": Sentence(
        "{device} n’envoie plus d’image.",
        "{device} no longer sends a picture.",
        "Redémarrer la caméra ; vérifier que personne d’autre n’occupe son flux vidéo.",
        "Restart the camera; check that nobody else holds its video stream.",
    ),
    "device.other": Sentence(
        "{device} signale une panne.",
        "{device} reports a fault.",
        "Lire le message affiché sur l’appareil.",
        "Read the message that the device shows.",
    ),
}
