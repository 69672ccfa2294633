"""Commands whose modules are heavy: loaded when they are asked for, and by no other process."""

from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


class LateCommands(TyperGroup):
    """A group of commands of which some are functions of modules that are not loaded yet."""

    late: ClassVar[dict[str, tuple[str, str]]]
    """By the command's name: the module, and its function."""
    wrap: ClassVar[Any]
    """What every command's function is wrapped in."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Those that are there, and those that would be loaded."""
        return [*super().list_commands(ctx), *self.late]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, loaded if need be; None when there is none of this name."""
        if cmd_name not in self.late:
            return super().get_command(ctx, cmd_name)
        module, function = self.late[cmd_name]
        alone = typer.Typer(add_completion=False)
        alone.command(cmd_name)(type(self).wrap(getattr(import_module(module), function)))
        return typer.main.get_command(alone)
