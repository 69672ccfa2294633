"""Commands whose modules are heavy: loaded when they are asked for, and by no other process."""

from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


class LateCommands(TyperGroup):
    """A group of commands of which some are functions of modules that are not loaded yet."""

    late: ClassVar[dict[str, tuple[str, str]]]
    """By the command's name, or by "group command": the module, and its function."""
    late_groups: ClassVar[dict[str, str]]
    """What each group of such commands is for."""
    wrap: ClassVar[Any]
    """What every command's function is wrapped in."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Those that are there, and those that would be loaded."""
        alone = [name for name in self.late if " " not in name]
        return [*super().list_commands(ctx), *self.late_groups, *alone]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, loaded if need be; None when there is none of this name."""
        if cmd_name in self.late_groups:
            group = typer.Typer(
                help=self.late_groups[cmd_name], no_args_is_help=True, add_completion=False
            )
            group.callback()(_nothing)
            for name in self.late:
                if name.startswith(f"{cmd_name} "):
                    group.command(name.removeprefix(f"{cmd_name} "))(self._load(name))
            return typer.main.get_command(group)
        if cmd_name not in self.late:
            return super().get_command(ctx, cmd_name)
        single = typer.Typer(add_completion=False)
        single.command(cmd_name)(self._load(cmd_name))
        return typer.main.get_command(single)

    def _load(self, name: str) -> Any:
        module, function = self.late[name]
        return type(self).wrap(getattr(import_module(module), function))


def _nothing() -> None:
    pass
