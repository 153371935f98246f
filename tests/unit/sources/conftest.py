from tests.sites import connect, hands, ok_fixture, serve

__all__ = ["connect", "hands", "ok_fixture", "serve"]
