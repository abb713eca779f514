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
    "device.other": Sentence(
        "{device} signale une panne.",
        "{device} reports a fault.",
        "Lire le message affiché sur l’appareil.",
        "Read the message that the device shows.",
    ),
}
