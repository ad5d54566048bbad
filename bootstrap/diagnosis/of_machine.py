"""Traps that this machine shows: disk, files, limits, fonts."""

import os
import resource
import shutil
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from prometheus_client.values import MutexValue, ValueClass

from bootstrap.diagnosis.trap import Trap
from bootstrap.folders import secrets_folder
from bootstrap.secret_files import SECRETS
from bootstrap.settings import Settings
from printing.glyphs import drawable

_FORM = "预防接种证"
_FREE = 0.1
_FREE_BYTES = 5 << 30
_FILES = 4_096
_MOUNTS = Path("/proc/self/mounts")
_VOLATILE = frozenset(("tmpfs", "ramfs", "overlay"))
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def of_machine(settings: Settings) -> Iterator[Trap]:
    """Yield what is wrong here."""
    if settings.data_dir.exists():
        yield from _disk(settings.data_dir)
        yield from _modes(settings)
        yield from _root_key(settings)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if 0 <= limit < _FILES:
        yield Trap(
            "few-files",
            "允许打开的文件太少。",
            "Too few files may be open.",
            f"把 nofile 提高到 {_FILES} 以上（systemd: LimitNOFILE）。",
            f"Raise nofile to {_FILES} or more (systemd: LimitNOFILE).",
            facts={"limit": limit},
        )
    try:
        ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        yield Trap(
            "no-time-zones",
            "没有时区数据：法定日期无法计算。",
            "There is no time zone data: legal days cannot be reckoned.",
            "安装 tzdata。",
            "Install tzdata.",
            is_refused=True,
        )
    if find_spec("typst") is None or drawable(_FORM) != _FORM:
        yield Trap(
            "no-font",
            "打印所需的程序或中文字体缺失：表格上会是空白。",
            "The printing program or its Chinese font is missing: forms would have holes.",
            "重新安装 vaxledger 及其依赖。",
            "Install vaxledger and what it depends on again.",
        )
    if ValueClass is not MutexValue:
        yield Trap(
            "metrics-in-files",
            "设了 PROMETHEUS_MULTIPROC_DIR：旧进程留下的数值会一直算在内。",
            "PROMETHEUS_MULTIPROC_DIR is set: figures of processes that have ended still count.",
            "取消该环境变量；各进程各有自己的 /metrics。",
            "Unset it: each process has metrics of its own.",
        )
    if Path("/proc/1/comm").read_text().strip().startswith(("python", "vaxledger")):
        yield Trap(
            "no-init",
            "容器没有 init：子进程会成为僵尸，被杀的服务器可能不再启动。",
            "The container has no init: dead children stay, and a killed server may not start.",
            "在 compose 中设 init: true（docker run --init）。",
            "Set init: true in compose (docker run --init).",
        )


def _disk(data_dir: Path) -> Iterator[Trap]:
    usage = shutil.disk_usage(data_dir)
    if usage.free < min(_FREE * usage.total, _FREE_BYTES):
        yield Trap(
            "disk-full",
            "数据盘快满了。",
            "The disk is nearly full.",
            "扩容或清理；账本和检查点不可删除。",
            "Enlarge or clean it; neither the log nor the checkpoint may go.",
            facts={"free_bytes": usage.free, "bytes": usage.total},
        )
    kind = _file_system(data_dir)
    if kind in _VOLATILE:
        yield Trap(
            "volatile-disk",
            "数据目录在容器或内存的文件系统上，重启后不在了。",
            "The data directory lies in a container's layer or in memory: a restart loses it.",
            "挂载持久卷，用 VAXLEDGER_DATA_DIR 指向它：密钥与库外检查点都在那里。",
            "Mount a lasting volume and point VAXLEDGER_DATA_DIR to it: keys and the outside "
            "checkpoint lie there.",
            facts={"file_system": kind},
        )


def _file_system(path: Path) -> str:
    """The kind of file system that a path lies on, empty if nobody says."""
    best, kind = "", ""
    for line in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        _, mounted, found, *_ = line.split(" ")
        point = mounted.replace("\\040", " ")
        if path.is_relative_to(point) and len(point) >= len(best):
            best, kind = point, found
    return kind


def _modes(settings: Settings) -> Iterator[Trap]:
    """Secrets that others than their owner may read."""
    folder = secrets_folder(settings)
    named = [getattr(settings, f"{name}_file") for name in SECRETS]
    named += [settings.root_key, settings.root_passphrase_file]
    files = [path for path in named if path is not None and path.exists()]
    if folder.exists():
        files += [folder, *folder.rglob("*")]
    open_to_others = [path for path in files if path.stat().st_mode & _OTHERS]
    if open_to_others:
        yield Trap(
            "readable-secrets",
            "密钥文件对其他帐户可读。",
            "Files of secrets are open to other accounts.",
            "chmod -R go= 所列文件。",
            "Run chmod -R go= on them.",
            is_refused=True,
            facts={"files": [str(path) for path in open_to_others[:5]]},
        )
    mine = os.geteuid()
    foreign = [path for path in files if path.stat().st_uid != mine]
    if foreign:
        yield Trap(
            "foreign-secrets",
            "密钥文件属于另一个帐户。",
            "Files of secrets belong to another account.",
            "用运行服务的帐户运行本命令，或 chown 所列文件。",
            "Run this as the account that serves, or chown the files.",
            facts={"files": [str(path) for path in foreign[:5]]},
        )


def _root_key(settings: Settings) -> Iterator[Trap]:
    """What a trial keeps among its secrets, and `vaxledger init` writes to a file of its own."""
    kept = secrets_folder(settings) / "root"
    if kept.exists():
        yield Trap(
            "root-key-kept",
            "运营方根密钥仍在数据目录的密钥中：偷走它的人就是运营方。试用安装就是这样建立的。",
            "The operator's root key lies among the secrets: so a trial began. A thief is the "
            "operator.",
            "用 vaxledger init 在新的数据目录和数据库中重新建账：根密钥写入单独的文件，离线保存。",
            "Found the log anew, with vaxledger init, in another data directory and new databases: "
            "the root key then has a file of its own, to be kept offline.",
            is_refused=True,
            facts={"file": str(kept)},
        )
