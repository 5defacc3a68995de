"""The proxy itself: what it lets through is unchanged, and it kills, cuts and holds at the message it was told."""

from __future__ import annotations

import smtplib
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.processes import MailServer, wait_until
from tests.servers.postgres import PostgresServer
from tests.servers.proxy import Proxy, Rule
from tests.servers.redis import redis_server

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer.start()
    with server.superuser() as connection:
        connection.execute("CREATE TABLE told (word text PRIMARY KEY)")
    yield server
    server.stop()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as made:
        yield made


def through(server: PostgresServer, proxy: Proxy) -> str:
    return server.url("postgres", "postgres", port=proxy.open("db", "postgres", server.port))


def is_there(server: PostgresServer, word: str) -> bool:
    with server.superuser() as connection:
        return bool(connection.execute("SELECT 1 FROM told WHERE word = %s", (word,)).fetchall())


def tell(url: str, word: str, *, pipeline: bool = False) -> None:
    with psycopg.connect(url) as connection:
        if pipeline:
            with connection.pipeline():
                connection.execute("INSERT INTO told VALUES (%s)", (word,))
                connection.commit()
        else:
            connection.execute("INSERT INTO told VALUES (%s)", (word,))


@pytest.mark.parametrize("pipeline", [False, True])
def test_what_is_let_through_is_unchanged_and_known(
    server: PostgresServer, proxy: Proxy, *, pipeline: bool
) -> None:
    word = f"{pipeline:032x}"
    tell(through(server, proxy), word, pipeline=pipeline)

    assert is_there(server, word)
    passed = [(one.side, one.words, one.ids) for one in proxy.passed("db", forget=True)]
    assert ("asks", "INSERT INTO told VALUES ($1)", (word,)) in passed
    assert ("asks", "COMMIT", ()) in passed
    assert ("answers", "-> COMMIT", ()) in passed
    assert proxy.passed("db") == []


def test_big_answers_pass_whole(server: PostgresServer, proxy: Proxy) -> None:
    with psycopg.connect(through(server, proxy)) as connection:
        rows = connection.execute("SELECT i, repeat('x', 100) FROM generate_series(1, 50000) i").fetchall()
    assert len(rows) == 50_000


def test_a_prepared_statement_is_known_by_its_text(server: PostgresServer, proxy: Proxy) -> None:
    with psycopg.connect(through(server, proxy), prepare_threshold=0) as connection:
        for _ in range(3):
            connection.execute("SELECT word FROM told WHERE word = %s", ("ask",))
    asked = [one.words for one in proxy.passed("db", forget=True)]
    assert asked.count("SELECT word FROM told WHERE word = $1") == 3


@pytest.mark.parametrize("pipeline", [False, True])
@pytest.mark.parametrize(
    ("side", "words", "when", "kept"),
    [
        ("asks", "INSERT INTO told", "before", False),
        ("asks", "^COMMIT", "before", False),
        ("asks", "^COMMIT", "after", True),
        ("answers", "-> COMMIT", "before", True),
    ],
)
def test_a_line_is_cut_at_the_commit_and_the_client_is_told_of_an_error(
    server: PostgresServer, proxy: Proxy, side: str, words: str, when: str, *, pipeline: bool, kept: bool
) -> None:
    # given a line that is cut before or after the commit reached the server, or before its answer reached the client
    url, word = through(server, proxy), f"{side} {words} {when} {pipeline}"
    proxy.arm("db", Rule(side, words, when=when, within="INSERT" if words == "^COMMIT" else ""))

    # when a transaction is sent
    with pytest.raises(psycopg.OperationalError):
        tell(url, word, pipeline=pipeline)

    # then it happened exactly if the server had the commit
    assert proxy.wait_for_hit("db", 5)
    proxy.passed("db", forget=True)
    if kept:
        wait_until(lambda: is_there(server, word), 5, "the commit")
    else:
        assert not is_there(server, word)


@pytest.mark.parametrize(("when", "kept"), [("before", False), ("after", True)])
def test_a_process_is_killed_at_its_commit(
    server: PostgresServer, proxy: Proxy, when: str, *, kept: bool
) -> None:
    # given a process that waits for a word before it commits
    url, word = through(server, proxy), f"killed {when}"
    script = (
        "import psycopg, sys\n"
        f"connection = psycopg.connect({url!r})\n"
        f"connection.execute('INSERT INTO told VALUES (%s)', ({word!r},))\n"
        "sys.stdin.readline()\nconnection.commit()\nprint('told')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    proxy.arm("db", Rule("asks", "^COMMIT", do="kill", when=when, pid=process.pid))

    # when it commits
    said, _ = process.communicate("go\n", timeout=20)

    # then it is dead before it could say so, and the store has it exactly if the commit arrived
    assert (process.returncode, said) == (-9, "")
    proxy.passed("db", forget=True)
    assert is_there(server, word) == kept


def test_nth_counts_and_a_rule_is_met_once(server: PostgresServer, proxy: Proxy) -> None:
    url = through(server, proxy)
    proxy.arm("db", Rule("asks", "^COMMIT", nth=2))
    tell(url, "first of three")
    with pytest.raises(psycopg.OperationalError):
        tell(url, "second of three")
    tell(url, "third of three")
    assert [is_there(server, f"{nth} of three") for nth in ("first", "second", "third")] == [
        True,
        False,
        True,
    ]


def test_new_lines_are_refused_and_old_ones_cut(server: PostgresServer, proxy: Proxy) -> None:
    url = through(server, proxy)
    with psycopg.connect(url) as connection:
        proxy.refuse("db")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(url).close()
        proxy.cut("db")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    proxy.refuse("db", refused=False)
    psycopg.connect(url).close()


def test_a_command_to_redis_is_dropped_or_its_answer_is_held(proxy: Proxy) -> None:
    with redis_server() as server:
        port = proxy.open("bell", "redis", server.port)
        client = redis.Redis(port=port, socket_timeout=0.3, retry=Retry(NoBackoff(), 0))

        # given a rule on the command, and one on its answer
        proxy.arm("bell", Rule("asks", "^RPUSH"))
        with pytest.raises(redis.RedisError):
            client.rpush("queue", "first")
        proxy.arm("bell", Rule("answers", "^RPUSH.* -> :1", do="hold"))
        with pytest.raises(redis.RedisError):
            client.rpush("queue", "second")

        # then the first never arrived, and the second did without its sender knowing
        assert server.client.lrange("queue", 0, -1) == [b"second"]
        client.rpush("queue", "third")
        assert server.client.llen("queue") == 2
        client.close()


def test_a_mail_is_taken_and_its_sender_never_hears_of_it(proxy: Proxy) -> None:
    text = "Message-ID: <one@here>\r\nSubject: x\r\n\r\n..\r\nhello"
    with MailServer() as mail:
        port = proxy.open("mail", "smtp", mail.port)

        # given a line that is cut at the answer to the mail, one at its receiver, and one that is left alone
        proxy.arm("mail", Rule("answers", "^\\. -> 250"))
        with pytest.raises((smtplib.SMTPException, OSError)):
            send(port, text)
        assert [one.message_id for one in mail.taken] == ["<one@here>"]
        proxy.arm("mail", Rule("asks", "(?i)^rcpt"))
        with pytest.raises((smtplib.SMTPException, OSError)):
            send(port, text)
        send(port, text)

        # then the server has what came to its final dot
        assert len(mail.taken) == 2


def send(port: int, text: str) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as line:
        line.sendmail("a@here", ["b@there"], text)
