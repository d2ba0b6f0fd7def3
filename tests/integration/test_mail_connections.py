"""Connections to the mail server are kept for the next mail; whatever the server does, a mail goes out once."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.core.clock import system_clock
from gateway.notify.channels.email.mailer import Mailer
from gateway.notify.mail import Mail
from gateway.notify.model import Answer, Delivered, Failed, Unknown
from tests.dsl.smtp import MailServer, text_of

OFFERS = pytest.mark.parametrize("offers", [[], ["PIPELINING"]], ids=["one by one", "at once"])


def mails(count: int) -> list[Mail]:
    return [Mail("ada@example.org", f"Mail {n}", ".\n.text\n", "<p>text</p>", {}, f"key-{n}") for n in range(count)]


def send(server: MailServer, waves: Sequence[Sequence[Mail]], pause_s: float = 0.0, **how: int) -> list[Answer]:
    """Send the mails, those of a wave at the same time."""

    async def in_waves() -> list[Answer]:
        mailer = Mailer(server.url, "support@example.com", 5, system_clock, **how)
        answers: list[Answer] = []
        for wave in waves:
            answers += await asyncio.gather(*[mailer.send(mail) for mail in wave])
            await asyncio.sleep(pause_s)
        await mailer.close()
        return answers

    return asyncio.run(in_waves())


def each(all_mails: Sequence[Mail]) -> list[list[Mail]]:
    return [[mail] for mail in all_mails]


def subjects(server: MailServer) -> list[str]:
    return sorted(str(mail["Subject"]) for mail in server.mails)


def connections(server: MailServer) -> int:
    return len(set(server.peers))


@OFFERS
def test_mails_that_follow_each_other_share_a_connection_and_arrive_whole(mail, offers):
    mail.offers = offers
    answers = send(mail, each(mails(5)))
    assert all(isinstance(answer, Delivered) for answer in answers)
    assert (subjects(mail), connections(mail)) == ([f"Mail {n}" for n in range(5)], 1)
    assert text_of(mail.mails[0]).splitlines() == [".", ".text"], "lines that begin with a dot are themselves again"


@OFFERS
def test_mails_at_the_same_time_share_so_many_connections_as_are_allowed(mail, offers):
    mail.offers = offers
    answers = send(mail, [mails(20)], connections=3)
    assert all(isinstance(answer, Delivered) for answer in answers)
    assert (len(set(subjects(mail))), len(mail.mails), connections(mail)) == (20, 20, 3)


@OFFERS
def test_a_connection_that_the_server_closed_is_replaced_and_each_mail_comes_once(mail, offers):
    mail.offers, mail.closes = offers, True
    answers = send(mail, each(mails(4)), pause_s=0.1)
    assert all(isinstance(answer, Delivered) for answer in answers)
    assert (subjects(mail), connections(mail)) == ([f"Mail {n}" for n in range(4)], 4)


@OFFERS
def test_a_server_that_closes_while_the_next_mail_is_announced_gets_it_on_a_new_connection(mail, offers):
    mail.offers, mail.mails_per_connection = offers, 2
    answers = send(mail, each(mails(5)))
    assert all(isinstance(answer, Delivered) for answer in answers)
    assert (subjects(mail), connections(mail)) == ([f"Mail {n}" for n in range(5)], 3)


def test_the_limit_that_the_server_names_is_kept(mail):
    mail.offers, mail.mails_per_connection = ["LIMITS RCPTMAX=100 MAILMAX=2"], 2
    send(mail, each(mails(5)))
    assert [mail.peers.count(peer) for peer in dict.fromkeys(mail.peers)] == [2, 2, 1]


def test_the_limit_of_the_settings_is_kept_where_the_server_names_none(mail):
    send(mail, each(mails(5)), mails_per_connection=3)
    assert [mail.peers.count(peer) for peer in dict.fromkeys(mail.peers)] == [3, 2]


@OFFERS
def test_a_refused_address_changes_nothing_for_the_mail_after_it(mail, offers):
    mail.offers, mail.rcpt = offers, ["550 5.1.1 nobody of this name"]
    first, second = send(mail, each(mails(2)))
    assert (isinstance(first, Failed), first.retire_address) == (True, True)
    assert isinstance(second, Delivered)
    assert subjects(mail) == ["Mail 1"]


@OFFERS
def test_a_text_that_is_refused_changes_nothing_for_the_mail_after_it(mail, offers):
    mail.offers, mail.data = offers, ["554 5.6.0 not like this"]
    first, second = send(mail, each(mails(2)))
    assert isinstance(first, Failed)
    assert isinstance(second, Delivered)
    assert (subjects(mail), connections(mail)) == (["Mail 1"], 1)


def test_a_mail_whose_answer_never_came_is_unknown_and_not_sent_on_another_connection(mail):
    mail.drop = True
    first, second = send(mail, each(mails(2)))
    assert (type(first), type(second)) == (Unknown, Unknown)
    assert subjects(mail) == ["Mail 0", "Mail 1"]
