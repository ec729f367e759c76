from __future__ import annotations

from podway_proxy.process.spec import ListenerSpec
from podway_proxy.process.supervise import Backoff, free_row, handing, plan

WEB = ListenerSpec("tcp a:80", "127.0.0.1", 80)
TLS = ListenerSpec("tcp a:443", "127.0.0.1", 443)
ADMIN = ListenerSpec("admin a:1936", "127.0.0.1", 1936, admin=True)


def test_the_first_death_is_replaced_at_once_then_ever_later_but_never_after_more_than_5_s() -> (
    None
):
    backoff, delays = Backoff(), []
    for _ in range(9):
        backoff = backoff.died(lived=0.1)
        delays.append(backoff.delay)
    assert delays == [0.0, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]


def test_a_long_life_forgives_the_deaths_before() -> None:
    backoff = Backoff(deaths=7).died(lived=3600.0)
    assert backoff.delay == 0.0


def test_what_is_wanted_by_any_generation_is_bound_and_the_rest_closed() -> None:
    todo = plan([(WEB,), (WEB, TLS)], {"tcp old:1": WEB._replace(key="tcp old:1")})
    assert todo.close == ("tcp old:1",)
    assert todo.bind == (WEB, TLS)
    assert plan([(WEB,)], {WEB.key: WEB}) == ((), ())


def test_another_port_under_the_same_key_is_bound_anew_but_another_option_is_not() -> None:
    moved = WEB._replace(port=81)
    assert plan([(moved,)], {WEB.key: WEB}) == ((WEB.key,), (moved,))
    assert plan([(WEB._replace(client_first=False),)], {WEB.key: WEB}) == ((), ())


def test_workers_get_all_but_admin_listeners_and_the_loader_just_those() -> None:
    wanted, bound = (WEB, TLS, ADMIN), {WEB.key, TLS.key, ADMIN.key}
    assert handing(wanted, bound, {}, admin=False) == ((), (WEB, TLS))
    assert handing(wanted, bound, {}, admin=True) == ((), (ADMIN,))
    assert handing((WEB,), bound, {TLS.key: TLS, WEB.key: WEB}, admin=False) == ((TLS.key,), ())


def test_what_is_not_bound_is_not_handed_out() -> None:
    assert handing((WEB, TLS), {TLS.key}, {}, admin=False) == ((), (TLS,))


def test_a_changed_listener_is_taken_and_given_again() -> None:
    changed = WEB._replace(client_first=False)
    assert handing((changed,), {WEB.key}, {WEB.key: WEB}, admin=False) == ((WEB.key,), (changed,))


def test_a_row_that_a_living_worker_writes_to_is_not_given_out() -> None:
    assert free_row(10, set(), 1) == 1
    assert free_row(10, {0, 1}, 1) == 2
