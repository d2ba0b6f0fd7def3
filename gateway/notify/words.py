"""The words around a notice: mails, pushes and the pages behind links, in English and German."""

from collections.abc import Mapping

_EN: Mapping[str, str] = {
    "again": "We send this again, because we cannot tell whether it reached you before.",
    "again_title": "Sent again: {title}",
    "see": "See the notice",
    "why": "Why you get this",
    "limit": "It was {value} {unit}; the limit is {limit} {unit}.",
    "sent_because": "Sent by email because {reason}.",
    "sent_safety": "Sent on every channel at once, because it is about safety.",
    "follows": "Sent by email too, because you had not opened it by {channel}.",
    "push": "push",
    "email": "email",
    "unit": "{product}, serial {serial}",
    "do": "What to do",
    "safety": "Safety",
    "critical": "Needs attention now",
    "warning": "Needs attention",
    "info": "For your information",
    "unsubscribe": "Stop mail about my products",
    "safety_always": "Safety notices always come, also to addresses that want no other mail.",
    "u_title": "Stop mail about your products?",
    "u_body": "You will get no more notices at this address. They stay in My Products, and safety notices still come.",
    "u_button": "Stop the mail",
    "u_done_title": "The mail has stopped",
    "u_done_body": "No more notices come to this address. You can change this in My Products, under Settings.",
    "u_gone_title": "This link no longer counts",
    "u_gone_body": "It is damaged, or for an address that is not used any more. Change your mail in My Products.",
    "to_products": "My Products",
    "l_gone_title": "This link cannot be read",
    "l_gone_body": "It is damaged. Every notice stands in My Products.",
}
_DE: Mapping[str, str] = {
    "again": "Wir senden dies noch einmal, weil wir nicht wissen, ob es Sie erreicht hat.",
    "again_title": "Noch einmal gesendet: {title}",
    "see": "Meldung ansehen",
    "why": "Warum Sie das erhalten",
    "limit": "Es waren {value} {unit}; die Grenze ist {limit} {unit}.",
    "sent_because": "Per E-Mail, denn {reason}.",
    "sent_safety": "Auf allen Kanälen zugleich gesendet, weil es um Sicherheit geht.",
    "follows": "Auch per E-Mail, weil Sie es per {channel} noch nicht geöffnet hatten.",
    "push": "Push",
    "email": "E-Mail",
    "unit": "{product}, Seriennummer {serial}",
    "do": "Was zu tun ist",
    "safety": "Sicherheit",
    "critical": "Bitte sofort ansehen",
    "warning": "Bitte ansehen",
    "info": "Zu Ihrer Information",
    "unsubscribe": "Keine E-Mails zu meinen Produkten mehr",
    "safety_always": "Sicherheitsmeldungen kommen immer, auch an Adressen, die sonst keine E-Mail wollen.",
    "u_title": "Keine E-Mails zu Ihren Produkten mehr?",
    "u_body": "Sie erhalten an diese Adresse keine Meldungen mehr. Sie stehen weiter unter Meine Produkte, "
    "und Sicherheitsmeldungen kommen weiterhin.",
    "u_button": "E-Mails beenden",
    "u_done_title": "Die E-Mails sind beendet",
    "u_done_body": "An diese Adresse kommen keine Meldungen mehr. Ändern können Sie das unter Meine Produkte.",
    "u_gone_title": "Dieser Link gilt nicht mehr",
    "u_gone_body": "Er ist beschädigt, oder die Adresse wird nicht mehr benutzt. Ändern Sie es unter Meine Produkte.",
    "to_products": "Meine Produkte",
    "l_gone_title": "Dieser Link ist nicht lesbar",
    "l_gone_body": "Er ist beschädigt. Jede Meldung steht unter Meine Produkte.",
}
_BY_LANGUAGE = {"en": _EN, "de": _DE}


def words(language: str) -> Mapping[str, str]:
    """The catalog of a language; English where there is none."""
    return _BY_LANGUAGE.get(language, _EN)


def letter_words(template: str, language: str) -> Mapping[str, str] | None:
    """Subject, lead, note and button of a service letter; None for a letter nobody wrote."""
    written = _LETTERS.get(template)
    return None if written is None else written.get(language, written["en"])


_LETTERS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "confirm": {
        "en": {
            "subject": "Your code: {code}",
            "lead": "Enter this code to confirm your address.",
            "note": "It counts for {minutes} minutes. If you did not sign up, do nothing: nothing else is sent to you.",
        },
        "de": {
            "subject": "Ihr Code: {code}",
            "lead": "Geben Sie diesen Code ein, um Ihre Adresse zu bestätigen.",
            "note": "Er gilt {minutes} Minuten. Wenn Sie sich nicht angemeldet haben, tun Sie nichts: "
            "Sie erhalten nichts weiter.",
        },
    },
    "account_exists": {
        "en": {
            "subject": "You have an account already",
            "lead": "Somebody signed up with this address, and it has an account already.",
            "note": "If it was you, sign in, or set a new password. If not, do nothing: nothing was changed.",
            "button": "Sign in",
        },
        "de": {
            "subject": "Sie haben schon ein Konto",
            "lead": "Jemand wollte mit dieser Adresse ein Konto anlegen, und es gibt schon eines.",
            "note": "Waren Sie es, melden Sie sich an oder setzen Sie ein neues Passwort. "
            "Wenn nicht, tun Sie nichts: Es wurde nichts geändert.",
            "button": "Anmelden",
        },
    },
    "reset": {
        "en": {
            "subject": "Your code: {code}",
            "lead": "Enter this code to set a new password.",
            "note": "It counts for {minutes} minutes. If you did not ask for it, do nothing: your password stays.",
        },
        "de": {
            "subject": "Ihr Code: {code}",
            "lead": "Geben Sie diesen Code ein, um ein neues Passwort zu setzen.",
            "note": "Er gilt {minutes} Minuten. Wenn Sie nicht darum gebeten haben, tun Sie nichts: "
            "Ihr Passwort bleibt.",
        },
    },
    "password_changed": {
        "en": {
            "subject": "Your password was changed",
            "lead": "The password of your account was changed.",
            "note": "If it was not you, set a new one now, and sign out everywhere.",
            "button": "Set a new password",
        },
        "de": {
            "subject": "Ihr Passwort wurde geändert",
            "lead": "Das Passwort Ihres Kontos wurde geändert.",
            "note": "Waren Sie es nicht, setzen Sie jetzt ein neues, und melden Sie sich überall ab.",
            "button": "Neues Passwort setzen",
        },
    },
    "invite": {
        "en": {
            "subject": "{maker} invites you to join the staff",
            "lead": "Enter this code with your address to begin.",
            "note": "It counts for {days} days. You then choose a password.",
            "button": "Begin",
        },
        "de": {
            "subject": "{maker} lädt Sie ins Team ein",
            "lead": "Geben Sie diesen Code mit Ihrer Adresse ein, um zu beginnen.",
            "note": "Er gilt {days} Tage. Danach wählen Sie ein Passwort.",
            "button": "Beginnen",
        },
    },
}
