"""Stands in for pyodbc where the ODBC driver manager is not installed, so that the Synapse target compiles offline.

What belongs here: the names that dbt-fabric and dbt-synapse look up when they are imported. What does not: any
connection; compiling with ``--no-introspect`` opens none, and one that is opened all the same says so.
"""

from __future__ import annotations

from typing import NoReturn

version = "0-offline"
pooling = False

SQL_CHAR, SQL_WCHAR, SQL_WMETADATA = 1, -8, -99


class Error(Exception):
    """Base of the errors that DB-API 2 names."""


class InterfaceError(Error):
    """The interface failed."""


class DatabaseError(Error):
    """The database failed."""


class InternalError(DatabaseError):
    """The database's own error."""


class OperationalError(DatabaseError):
    """The connection failed."""


class ProgrammingError(DatabaseError):
    """The statement is wrong."""


class Connection:
    """Only for annotations."""


class Cursor:
    """Only for annotations."""


class Row:
    """Only for annotations."""


def connect(*_: object, **__: object) -> NoReturn:
    """Refuse: nothing here reaches a server.

    Raises:
        OperationalError: always.
    """
    raise OperationalError("This is the offline stand-in for pyodbc: install pyodbc and unixODBC to reach Synapse.")
