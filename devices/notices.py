"""Fault notices of devices: their codes, and in French and English for the catalogs what each means and what to do.

Every notice has the argument `device`, its name in the room, and begins with it and a colon: a row that has the name
leaves it out. The next step's catalog key is the code + `.next`, and who can take it is the code + `.who`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Who = Literal["anyone", "host", "it", "installer"]
"""Who can do what a notice asks for: anyone in the room, the center's host, IT, who fitted the room."""


@dataclass(frozen=True)
class Sentence:
    """What people read: what it means, what to do, and who can."""

    fr: str
    en: str
    fr_next: str
    en_next: str
    who: Who


NOTICES: dict[str, Sentence] = {
    "device.unreachable": Sentence(
        "{device} : pas de réponse.",
        "{device}: no answer.",
        "Vérifier son alimentation et son câble réseau, puis son adresse dans la configuration de la salle.",
        "Check its power and its network cable, then its address in the room’s configuration.",
        "it",
    ),
    "device.garbage": Sentence(
        "{device} : réponses incompréhensibles.",
        "{device}: answers that cannot be read.",
        "Vérifier l’adresse, le port et le protocole dans la configuration de la salle ; puis redémarrer l’appareil.",
        "Check the address, port and protocol in the room’s configuration; then restart the device.",
        "it",
    ),
    "device.not_followed": Sentence(
        "{device} : a répondu oui, sans le faire ({property}).",
        "{device}: said yes, but did not do it ({property}).",
        "Le redemander ; si rien ne change, éteindre l’appareil et le rallumer.",
        "Ask again; if nothing changes, switch the device off and on.",
        "anyone",
    ),
    "device.unplugged": Sentence(
        "{device} : câble débranché.",
        "{device}: not plugged in.",
        "Rebrancher son câble sur l’ordinateur de la salle.",
        "Plug its cable back into the room’s computer.",
        "anyone",
    ),
    "device.refused": Sentence(
        "{device} : un autre programme le commande déjà.",
        "{device}: another program already controls it.",
        "Fermer l’autre programme qui le commande.",
        "Close the other program that controls it.",
        "it",
    ),
    "device.password": Sentence(
        "{device} : mot de passe refusé.",
        "{device}: it refuses our password.",
        "Corriger le mot de passe dans la configuration de la salle.",
        "Correct the password in the room’s configuration.",
        "it",
    ),
    "device.misconfigured": Sentence(
        "{device} : sa configuration est fausse, ou son pilote manque.",
        "{device}: its configuration is wrong, or its driver is missing.",
        "Lancer `roomctl check --config` sur l’ordinateur de la salle : il nomme chaque faute et son remède.",
        "Run `roomctl check --config` on the room’s computer: it names each mistake and its remedy.",
        "installer",
    ),
    "device.driver_crashed": Sentence(
        "{device} : le pilote s’est arrêté sur une erreur.",
        "{device}: its driver stopped on an error.",
        "Envoyer le journal de la salle à l’informatique ; le pilote redémarre seul.",
        "Send the room’s log to IT; the driver starts again by itself.",
        "it",
    ),
    "device.driver_blocked": Sentence(
        "{device} : le pilote est bloqué.",
        "{device}: its driver is blocked.",
        "Envoyer le journal de la salle à qui a écrit le pilote ; redémarrer l’ordinateur de la salle pour le relancer.",
        "Send the room’s log to whoever wrote the driver; restart the room’s computer to start it again.",
        "it",
    ),
    "device.fan": Sentence(
        "{device} : problème de ventilateur.",
        "{device}: fan problem.",
        "Nettoyer les grilles d’aération ; si cela continue, appeler le service après-vente.",
        "Clean the air grilles; if it goes on, call its service.",
        "it",
    ),
    "device.lamp": Sentence(
        "{device} : problème de lampe.",
        "{device}: lamp problem.",
        "Remplacer la lampe.",
        "Replace the lamp.",
        "it",
    ),
    "device.temperature": Sentence(
        "{device} : trop de chaleur.",
        "{device}: too hot.",
        "Dégager ses aérations et le laisser refroidir.",
        "Clear its air vents and let it cool down.",
        "anyone",
    ),
    "device.cover": Sentence(
        "{device} : un capot est ouvert.",
        "{device}: a cover is open.",
        "Refermer le capot.",
        "Close the cover.",
        "anyone",
    ),
    "device.filter": Sentence(
        "{device} : le filtre est encrassé.",
        "{device}: the filter is dirty.",
        "Nettoyer ou remplacer le filtre.",
        "Clean or replace the filter.",
        "it",
    ),
    "device.no_such_name": Sentence(
        "{device} : le réseau ne connaît pas le nom sous lequel on l’appelle.",
        "{device}: the network does not know the name that it is called by.",
        "Corriger son nom (`host`) dans la configuration de la salle, ou y mettre son adresse ; ou inscrire ce nom dans le DNS.",
        "Correct its name (`host`) in the room’s configuration, or write its address there; or enter that name in the DNS.",
        "it",
    ),
    "device.no_such_port": Sentence(
        "{device} : port absent ({ports}).",
        "{device}: it has no such port ({ports}).",
        "Corriger `interface` dans la configuration de la salle : c’est l’ifIndex du port, qui peut différer du numéro imprimé.",
        "Correct `interface` in the room’s configuration: it is the port’s ifIndex, which may differ from the number printed.",
        "installer",
    ),
    "device.no_input": Sentence(
        "{device} : entrée absente ({inputs}) ; il y a {there}.",
        "{device}: it has no such input ({inputs}); it has {there}.",
        "Corriger les entrées dans la configuration de la salle.",
        "Correct the inputs in the room’s configuration.",
        "installer",
    ),
    "device.not_announced": Sentence(
        "{device} : aucun capteur ne s’annonce sous ce nom.",
        "{device}: no sensor announces itself under this name.",
        "Vérifier qu’il est appairé, et son identifiant dans la configuration de la salle.",
        "Check that it is paired, and its identifier in the room’s configuration.",
        "it",
    ),
    "device.unread": Sentence(
        "{device} : mesures illisibles ({sensors}).",
        "{device}: cannot be read ({sensors}).",
        "Donner le sujet MQTT et un modèle plus simple sous `sources` dans la configuration de la salle.",
        "Give the MQTT topic and a simpler template under `sources` in the room’s configuration.",
        "installer",
    ),
    "device.offline": Sentence(
        "{device} : hors de portée ou sans pile.",
        "{device}: out of reach or without battery.",
        "Remplacer la pile du capteur, puis le rapprocher de sa passerelle.",
        "Replace the sensor’s battery, then bring it nearer to its gateway.",
        "host",
    ),
    "device.battery": Sentence(
        "{device} : la pile est presque vide.",
        "{device}: the battery is nearly empty.",
        "Remplacer la pile.",
        "Replace the battery.",
        "host",
    ),
    "device.certificate": Sentence(
        "{device} : le certificat n’est pas reconnu.",
        "{device}: its certificate is not trusted.",
        "Indiquer dans la configuration de la salle l’autorité qui l’a signé, ou faire renouveler le certificat.",
        "Name the authority that signed it in the room’s configuration, or have the certificate renewed.",
        "it",
    ),
    "device.on_battery": Sentence(
        "{device} : courant coupé, la salle est sur batterie.",
        "{device}: the power is cut, the room runs on battery.",
        "Enregistrer le travail en cours ; vérifier le disjoncteur de la salle.",
        "Save what is open; check the room’s circuit breaker.",
        "host",
    ),
    "device.battery_low": Sentence(
        "{device} : batterie presque vide, la salle va s’éteindre.",
        "{device}: battery nearly empty, the room will go off.",
        "Terminer la réunion maintenant.",
        "End the meeting now.",
        "anyone",
    ),
    "device.supply_off": Sentence(
        "{device} : éteint, il n’alimente plus rien.",
        "{device}: switched off, it powers nothing.",
        "Rallumer l’onduleur ; si ce qu’il alimente fonctionne, ses prises sont ailleurs : vérifier le câblage.",
        "Switch the supply on; if what it should power works, it is plugged in elsewhere: check the cabling.",
        "it",
    ),
    "device.overload": Sentence(
        "{device} : surchargé.",
        "{device}: overloaded.",
        "Débrancher de l’onduleur ce qui ne doit pas survivre à une coupure.",
        "Unplug from the supply what need not survive a power cut.",
        "it",
    ),
    "device.bypass": Sentence(
        "{device} : en dérivation, rien ne protège d’une coupure.",
        "{device}: in bypass, nothing protects from a power cut.",
        "Remettre l’onduleur en service ; s’il reste en dérivation, appeler le service après-vente.",
        "Put the supply back into service; if it stays in bypass, call its service.",
        "it",
    ),
    "device.alarm": Sentence(
        "{device} : il signale une alarme.",
        "{device}: it raises an alarm.",
        "Lire l’alarme sur l’onduleur, ou avec `upsc` sur l’ordinateur qui le surveille.",
        "Read the alarm on the supply, or with `upsc` on the computer that watches it.",
        "it",
    ),
    "device.replace_battery": Sentence(
        "{device} : la batterie est usée.",
        "{device}: the battery is worn out.",
        "Remplacer la batterie.",
        "Replace the battery.",
        "it",
    ),
    "device.stale": Sentence(
        "{device} : plus de lien avec l’ordinateur qui surveille.",
        "{device}: no link to the computer that watches it.",
        "Rebrancher son câble de données, puis redémarrer le pilote NUT.",
        "Plug its data cable back in, then restart the NUT driver.",
        "it",
    ),
    "device.unknown_name": Sentence(
        "{device} : le serveur ne connaît aucun appareil de ce nom.",
        "{device}: the server knows no device of this name.",
        "Corriger le nom dans la configuration de la salle.",
        "Correct the name in the room’s configuration.",
        "it",
    ),
    "device.no_picture": Sentence(
        "{device} : plus d’image.",
        "{device}: no picture any more.",
        "Redémarrer la caméra ; vérifier que personne d’autre n’occupe son flux vidéo.",
        "Restart the camera; check that nobody else holds its video stream.",
        "it",
    ),
    "device.other": Sentence(
        "{device} : panne signalée.",
        "{device}: it reports a fault.",
        "Lire le message affiché sur l’appareil.",
        "Read the message that the device shows.",
        "anyone",
    ),
}

ANSWERS: dict[str, Sentence] = {
    "device.failed": Sentence(
        "{device} : ce qui était demandé n’a pas pu être fait.",
        "{device}: what was asked could not be done.",
        "Le redemander ; si cela échoue encore, prévenir l’informatique.",
        "Ask again; if it fails again, tell IT.",
        "anyone",
    ),
    "device.rejected": Sentence(
        "{device} : ce qui était demandé n’est pas accepté.",
        "{device}: what was asked is not accepted.",
        "Demander autre chose ; si l’appareil devrait l’accepter, prévenir l’informatique.",
        "Ask for something else; if the device should accept it, tell IT.",
        "anyone",
    ),
    "device.busy": Sentence(
        "{device} : encore occupé un instant.",
        "{device}: still busy for a moment.",
        "Réessayer dans quelques secondes.",
        "Try again in a few seconds.",
        "anyone",
    ),
    "device.unsupported": Sentence(
        "{device} : cela n’est pas possible avec cet appareil.",
        "{device}: this device cannot do that.",
        "Le faire autrement ; s’il devrait savoir le faire, vérifier son modèle dans la configuration de la salle.",
        "Do it another way; if it should be able to, check its model in the room’s configuration.",
        "it",
    ),
}
"""What becomes of a command, which says nothing of the device: codes of `devices/errors.py`."""
