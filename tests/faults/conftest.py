from tests.e2e.conftest import sahel, store_url

__all__ = ["sahel", "store_url"]
