# Made by tools/python-client.ts from the fault kinds. Do not edit.
"""A method for each fault kind: a fault in force while its block runs."""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Optional, TypedDict, Union

from .fault import ActiveFault, Targets

DiskCorruptMatchRangeItem = TypedDict(
    "DiskCorruptMatchRangeItem",
    {
        "from": int,
        "to": int,
    },
)

DiskCorruptMatch = TypedDict(
    "DiskCorruptMatch",
    {
        "path": List[str],
        "notPath": List[str],
        "op": List[Literal["lookup", "getattr", "setattr", "truncate", "readlink", "symlink", "mknod", "mkdir", "unlink", "rmdir", "rename", "link", "open", "create", "read", "write", "flush", "fsync", "opendir", "readdir", "fsyncdir", "statfs", "setxattr", "getxattr", "listxattr", "removexattr", "fallocate", "lseek", "copy", "data", "sync", "metadata", "mutate", "all"]],
        "range": List[DiskCorruptMatchRangeItem],
        "pid": List[int],
        "uid": List[int],
    },
    total=False,
)

DiskCorruptWhen = TypedDict(
    "DiskCorruptWhen",
    {
        "probability": Union[float, str],
        "skip": int,
        "count": int,
        "every": int,
        "sequence": str,
        "delay": str,
        "duration": str,
    },
    total=False,
)

DiskDelayLatencyUniform = TypedDict(
    "DiskDelayLatencyUniform",
    {
        "from": str,
        "to": str,
    },
)

DiskDelayLatencyNormal = TypedDict(
    "DiskDelayLatencyNormal",
    {
        "mean": str,
        "deviation": str,
    },
)

DiskDelayLatencyPareto = TypedDict(
    "DiskDelayLatencyPareto",
    {
        "minimum": str,
        "shape": float,
    },
)

DiskDelayLatency = TypedDict(
    "DiskDelayLatency",
    {
        "fixed": str,
        "uniform": DiskDelayLatencyUniform,
        "normal": DiskDelayLatencyNormal,
        "pareto": DiskDelayLatencyPareto,
        "perMiB": str,
    },
    total=False,
)

DiskErrorErrno1Item = TypedDict(
    "DiskErrorErrno1Item",
    {
        "errno": Literal["EPERM", "ENOENT", "EIO", "ENXIO", "EBADF", "EAGAIN", "ENOMEM", "EACCES", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ETXTBSY", "EFBIG", "ENOSPC", "EROFS", "EMLINK", "ENAMETOOLONG", "ENOTEMPTY", "ELOOP", "ENODATA", "EREMOTEIO", "EUCLEAN", "ESTALE", "ETIMEDOUT", "EOPNOTSUPP", "EDQUOT"],
        "weight": int,
    },
)

_DiskFlipSegmentRequired = TypedDict(
    "_DiskFlipSegmentRequired",
    {
        "directory": str,
        "topicPartition": str,
    },
)

_DiskFlipSegmentOptional = TypedDict(
    "_DiskFlipSegmentOptional",
    {
        "which": Literal["oldest", "newest"],
    },
    total=False,
)

class DiskFlipSegment(_DiskFlipSegmentRequired, _DiskFlipSegmentOptional):
    pass


DiskPowercutProcess = TypedDict(
    "DiskPowercutProcess",
    {
        "service": str,
        "pidFile": str,
        "listens": int,
        "argumentParts": List[str],
        "glob": str,
        "mainClass": str,
        "javaName": str,
        "expect": Union[int, Literal["some"]],
    },
    total=False,
)

DiskPowercutRestart1 = TypedDict(
    "DiskPowercutRestart1",
    {
        "after": str,
    },
)

KafkaRequestRulesItem = TypedDict(
    "KafkaRequestRulesItem",
    {
        "apiKey": Union[str, List[str]],
        "clientId": str,
        "topic": str,
        "topicPartition": str,
        "transactionalId": str,
        "group": str,
        "nth": int,
        "ratio": Union[float, str],
        "once": bool,
        "error": str,
        "delayBefore": str,
        "delayAfter": str,
        "loseReply": bool,
        "hold": str,
        "duplicate": bool,
        "disconnect": Literal["before", "after"],
        "truncateFetch": Union[float, str],
    },
    total=False,
)

KafkaRequestTls = TypedDict(
    "KafkaRequestTls",
    {
        "certificate": str,
        "key": str,
    },
)

NetworkDnsAnswer1 = TypedDict(
    "NetworkDnsAnswer1",
    {
        "address": str,
    },
)

_NetworkLossGilbertElliottRequired = TypedDict(
    "_NetworkLossGilbertElliottRequired",
    {
        "p": Union[float, str],
        "r": Union[float, str],
    },
)

_NetworkLossGilbertElliottOptional = TypedDict(
    "_NetworkLossGilbertElliottOptional",
    {
        "h": Union[float, str],
        "k": Union[float, str],
    },
    total=False,
)

class NetworkLossGilbertElliott(_NetworkLossGilbertElliottRequired, _NetworkLossGilbertElliottOptional):
    pass


NetworkPartitionFlap = TypedDict(
    "NetworkPartitionFlap",
    {
        "on": Union[str, List[str]],
        "off": Union[str, List[str]],
    },
)

ProcessPauseDuty = TypedDict(
    "ProcessPauseDuty",
    {
        "on": str,
        "off": str,
    },
)

#: Method and fault kind.
KINDS = {
    "cpu_load": "cpu.load",
    "disk_corrupt": "disk.corrupt",
    "disk_delay": "disk.delay",
    "disk_error": "disk.error",
    "disk_fill": "disk.fill",
    "disk_flip": "disk.flip",
    "disk_fsync": "disk.fsync",
    "disk_full": "disk.full",
    "disk_gone": "disk.gone",
    "disk_lost": "disk.lost",
    "disk_misdirected": "disk.misdirected",
    "disk_powercut": "disk.powercut",
    "disk_rate": "disk.rate",
    "disk_readonly": "disk.readonly",
    "disk_short": "disk.short",
    "disk_stale": "disk.stale",
    "disk_stall": "disk.stall",
    "disk_torn": "disk.torn",
    "kafka_request": "kafka.request",
    "network_corrupt": "network.corrupt",
    "network_delay": "network.delay",
    "network_dns": "network.dns",
    "network_duplicate": "network.duplicate",
    "network_loss": "network.loss",
    "network_partition": "network.partition",
    "network_rate": "network.rate",
    "network_reorder": "network.reorder",
    "network_reset": "network.reset",
    "noop": "noop",
    "process_kill": "process.kill",
    "process_pause": "process.pause",
}


class Kinds:
    """Every fault kind as a context manager. Mixed into what knows a coordinator."""

    def _fault(self, kind: str, params: Dict[str, Any], **common: Any) -> ActiveFault:
        raise NotImplementedError

    def cpu_load(
        self,
        *,
        workers: Optional[Union[Literal["all"], int]] = None,
        share: Optional[Union[float, str]] = None,
        ramp: Optional[str] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Burns CPU on the targets: a noisy neighbour. (`cpu.load`)"""
        return self._fault(
            "cpu.load",
            {
                "workers": workers,
                "share": share,
                "ramp": ramp,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_corrupt(
        self,
        *,
        how: Literal["bitFlip", "zero", "random", "truncateTail", "zeroTail", "randomTail"],
        amount: Optional[int] = None,
        fraction: Optional[Union[float, str]] = None,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Changes bytes of what is read or written. (`disk.corrupt`)"""
        return self._fault(
            "disk.corrupt",
            {
                "how": how,
                "amount": amount,
                "fraction": fraction,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_delay(
        self,
        *,
        latency: DiskDelayLatency,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Delays requests to matching files. (`disk.delay`)"""
        return self._fault(
            "disk.delay",
            {
                "latency": latency,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_error(
        self,
        *,
        errno: Union[Literal["EPERM", "ENOENT", "EIO", "ENXIO", "EBADF", "EAGAIN", "ENOMEM", "EACCES", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ETXTBSY", "EFBIG", "ENOSPC", "EROFS", "EMLINK", "ENAMETOOLONG", "ENOTEMPTY", "ELOOP", "ENODATA", "EREMOTEIO", "EUCLEAN", "ESTALE", "ETIMEDOUT", "EOPNOTSUPP", "EDQUOT"], List[DiskErrorErrno1Item]],
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Lets requests to matching files fail with an errno. (`disk.error`)"""
        return self._fault(
            "disk.error",
            {
                "errno": errno,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_fill(
        self,
        *,
        directory: str,
        share: Optional[Union[float, str]] = None,
        leave_bytes: Optional[int] = None,
        memory: Optional[bool] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Fills a real file system by a file, and removes it when healed. (`disk.fill`)"""
        return self._fault(
            "disk.fill",
            {
                "directory": directory,
                "share": share,
                "leaveBytes": leave_bytes,
                "memory": memory,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_flip(
        self,
        *,
        file: Optional[str] = None,
        segment: Optional[DiskFlipSegment] = None,
        bits: Optional[int] = None,
        from_: Optional[int] = None,
        to: Optional[int] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Flips bits of a file at rest, and puts them back when healed. (`disk.flip`)"""
        return self._fault(
            "disk.flip",
            {
                "file": file,
                "segment": segment,
                "bits": bits,
                "from": from_,
                "to": to,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_fsync(
        self,
        *,
        how: Literal["ignored", "fails"],
        errno: Optional[Literal["EPERM", "ENOENT", "EIO", "ENXIO", "EBADF", "EAGAIN", "ENOMEM", "EACCES", "EBUSY", "EEXIST", "EXDEV", "ENODEV", "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ETXTBSY", "EFBIG", "ENOSPC", "EROFS", "EMLINK", "ENAMETOOLONG", "ENOTEMPTY", "ELOOP", "ENODATA", "EREMOTEIO", "EUCLEAN", "ESTALE", "ETIMEDOUT", "EOPNOTSUPP", "EDQUOT"]] = None,
        after: Optional[Literal["ext4", "xfs", "btrfs"]] = None,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Lets fsync do nothing, or fail and lose what was not synced. (`disk.fsync`)"""
        return self._fault(
            "disk.fsync",
            {
                "how": how,
                "errno": errno,
                "after": after,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_full(
        self,
        *,
        free_bytes: Optional[int] = None,
        free_inodes: Optional[int] = None,
        errno: Optional[Literal["ENOSPC", "EDQUOT"]] = None,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Leaves so much room on the file system and no more. (`disk.full`)"""
        return self._fault(
            "disk.full",
            {
                "freeBytes": free_bytes,
                "freeInodes": free_inodes,
                "errno": errno,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_gone(
        self,
        *,
        errno: Optional[Literal["EIO", "ENODEV", "ENXIO"]] = None,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Lets everything fail with EIO, as after a disk was pulled out. (`disk.gone`)"""
        return self._fault(
            "disk.gone",
            {
                "errno": errno,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_lost(
        self,
        *,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Drops matching writes and tells the writer that they were done. (`disk.lost`)"""
        return self._fault(
            "disk.lost",
            {
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_misdirected(
        self,
        *,
        shift_bytes: int,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Lets matching writes land elsewhere in the same file. (`disk.misdirected`)"""
        return self._fault(
            "disk.misdirected",
            {
                "shiftBytes": shift_bytes,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_powercut(
        self,
        *,
        process: Optional[DiskPowercutProcess] = None,
        restart: Optional[Union[Literal["never", "heal"], DiskPowercutRestart1]] = None,
        directory: Optional[str] = None,
        loss: Optional[Literal["all", "subset", "torn", "reordered"]] = None,
        names: Optional[Literal["posix", "own", "journal"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Kills a process, by default the broker, and loses what it had not fsynced. (`disk.powercut`)"""
        return self._fault(
            "disk.powercut",
            {
                "process": process,
                "restart": restart,
                "directory": directory,
                "loss": loss,
                "names": names,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_rate(
        self,
        *,
        bytes_per_second: Optional[int] = None,
        operations_per_second: Optional[float] = None,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Limits bytes and operations a second of matching files. (`disk.rate`)"""
        return self._fault(
            "disk.rate",
            {
                "bytesPerSecond": bytes_per_second,
                "operationsPerSecond": operations_per_second,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_readonly(
        self,
        *,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Lets everything that changes a file fail with EROFS. (`disk.readonly`)"""
        return self._fault(
            "disk.readonly",
            {
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_short(
        self,
        *,
        bytes: Optional[int] = None,
        share: Optional[Union[float, str]] = None,
        random: Optional[Literal[True]] = None,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Carries out only a part of matching reads and writes, and says so. (`disk.short`)"""
        return self._fault(
            "disk.short",
            {
                "bytes": bytes,
                "share": share,
                "random": random,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_stale(
        self,
        *,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Lets reads return what was there when the fault began. (`disk.stale`)"""
        return self._fault(
            "disk.stale",
            {
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_stall(
        self,
        *,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Holds requests to matching files until the fault ends. (`disk.stall`)"""
        return self._fault(
            "disk.stall",
            {
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def disk_torn(
        self,
        *,
        sector_bytes: Optional[Literal[512, 1024, 2048, 4096]] = None,
        keep: Optional[Literal["prefix", "suffix", "random"]] = None,
        directory: Optional[str] = None,
        preset: Optional[Literal["log", "index", "timeindex", "txnindex", "snapshots", "checkpoints", "quorum-state", "metadata-log"]] = None,
        topic_partitions: Optional[List[str]] = None,
        match: Optional[DiskCorruptMatch] = None,
        when: Optional[DiskCorruptWhen] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Lets only some sectors of matching writes reach the disk. (`disk.torn`)"""
        return self._fault(
            "disk.torn",
            {
                "sectorBytes": sector_bytes,
                "keep": keep,
                "directory": directory,
                "preset": preset,
                "topicPartitions": topic_partitions,
                "match": match,
                "when": when,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def kafka_request(
        self,
        *,
        rules: List[KafkaRequestRulesItem],
        listeners: Optional[List[str]] = None,
        ports: Optional[List[int]] = None,
        any_port: Optional[bool] = None,
        backend: Optional[Literal["nft", "iptables"]] = None,
        tls: Optional[KafkaRequestTls] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Single Kafka requests are refused, late, lost, doubled or held, by a proxy on the node. (`kafka.request`)"""
        return self._fault(
            "kafka.request",
            {
                "rules": rules,
                "listeners": listeners,
                "ports": ports,
                "anyPort": any_port,
                "backend": backend,
                "tls": tls,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def network_corrupt(
        self,
        *,
        ratio: Union[float, str],
        correlation: Optional[Union[float, str]] = None,
        bytes: Optional[int] = None,
        checksum: Optional[Literal["kept", "remade"]] = None,
        backend: Optional[Literal["nfqueue", "netem", "netem-or-nfqueue"]] = None,
        peers: Optional[List[str]] = None,
        direction: Optional[Literal["outbound", "inbound", "both"]] = None,
        ports: Optional[List[int]] = None,
        listeners: Optional[List[str]] = None,
        protocols: Optional[Literal["tcp", "udp", "all"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Some packets of the targets arrive damaged: dropped by their checksum, or as data. (`network.corrupt`)"""
        return self._fault(
            "network.corrupt",
            {
                "ratio": ratio,
                "correlation": correlation,
                "bytes": bytes,
                "checksum": checksum,
                "backend": backend,
                "peers": peers,
                "direction": direction,
                "ports": ports,
                "listeners": listeners,
                "protocols": protocols,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def network_delay(
        self,
        *,
        latency: str,
        jitter: Optional[str] = None,
        distribution: Optional[Literal["uniform", "normal", "pareto"]] = None,
        correlation: Optional[Union[float, str]] = None,
        backend: Optional[Literal["nfqueue", "netem", "netem-or-nfqueue"]] = None,
        peers: Optional[List[str]] = None,
        direction: Optional[Literal["outbound", "inbound", "both"]] = None,
        ports: Optional[List[int]] = None,
        listeners: Optional[List[str]] = None,
        protocols: Optional[Literal["tcp", "udp", "all"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Packets of the targets arrive late, evenly or with jitter. (`network.delay`)"""
        return self._fault(
            "network.delay",
            {
                "latency": latency,
                "jitter": jitter,
                "distribution": distribution,
                "correlation": correlation,
                "backend": backend,
                "peers": peers,
                "direction": direction,
                "ports": ports,
                "listeners": listeners,
                "protocols": protocols,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def network_dns(
        self,
        *,
        names: Optional[List[str]] = None,
        answer: Union[Literal["nxdomain", "servfail", "timeout"], NetworkDnsAnswer1],
        backend: Optional[Literal["nft", "iptables"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Host names resolve wrongly, late or not at all on the targets. (`network.dns`)"""
        return self._fault(
            "network.dns",
            {
                "names": names,
                "answer": answer,
                "backend": backend,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def network_duplicate(
        self,
        *,
        ratio: Union[float, str],
        correlation: Optional[Union[float, str]] = None,
        backend: Optional[Literal["nfqueue", "netem", "netem-or-nfqueue"]] = None,
        peers: Optional[List[str]] = None,
        direction: Optional[Literal["outbound", "inbound", "both"]] = None,
        ports: Optional[List[int]] = None,
        listeners: Optional[List[str]] = None,
        protocols: Optional[Literal["tcp", "udp", "all"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Some packets of the targets arrive twice. (`network.duplicate`)"""
        return self._fault(
            "network.duplicate",
            {
                "ratio": ratio,
                "correlation": correlation,
                "backend": backend,
                "peers": peers,
                "direction": direction,
                "ports": ports,
                "listeners": listeners,
                "protocols": protocols,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def network_loss(
        self,
        *,
        ratio: Optional[Union[float, str]] = None,
        correlation: Optional[Union[float, str]] = None,
        gilbert_elliott: Optional[NetworkLossGilbertElliott] = None,
        backend: Optional[Literal["nfqueue", "nft", "iptables", "netem", "netem-or-nfqueue"]] = None,
        peers: Optional[List[str]] = None,
        direction: Optional[Literal["outbound", "inbound", "both"]] = None,
        ports: Optional[List[int]] = None,
        listeners: Optional[List[str]] = None,
        protocols: Optional[Literal["tcp", "udp", "all"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Some packets of the targets are lost, singly or in bursts. (`network.loss`)"""
        return self._fault(
            "network.loss",
            {
                "ratio": ratio,
                "correlation": correlation,
                "gilbertElliott": gilbert_elliott,
                "backend": backend,
                "peers": peers,
                "direction": direction,
                "ports": ports,
                "listeners": listeners,
                "protocols": protocols,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def network_partition(
        self,
        *,
        groups: Optional[List[List[str]]] = None,
        shape: Optional[Literal["isolate", "halves", "majorities-ring", "bridge", "one-way"]] = None,
        direction: Optional[Literal["inbound", "outbound"]] = None,
        clients: Optional[Literal["reachable", "cut"]] = None,
        ports: Optional[List[int]] = None,
        listeners: Optional[List[str]] = None,
        protocols: Optional[Literal["tcp", "udp", "all"]] = None,
        how: Optional[Literal["drop", "reject", "reset"]] = None,
        flap: Optional[NetworkPartitionFlap] = None,
        healing: Optional[Literal["at-once", "staggered"]] = None,
        backend: Optional[Literal["nft", "iptables"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Nodes no longer hear each other: groups, or a shape around the targets. (`network.partition`)"""
        return self._fault(
            "network.partition",
            {
                "groups": groups,
                "shape": shape,
                "direction": direction,
                "clients": clients,
                "ports": ports,
                "listeners": listeners,
                "protocols": protocols,
                "how": how,
                "flap": flap,
                "healing": healing,
                "backend": backend,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def network_rate(
        self,
        *,
        rate: str,
        burst: Optional[int] = None,
        latency: Optional[Union[str]] = None,
        backend: Optional[Literal["nfqueue", "htb", "htb-or-nfqueue"]] = None,
        peers: Optional[List[str]] = None,
        direction: Optional[Literal["outbound", "inbound", "both"]] = None,
        ports: Optional[List[int]] = None,
        listeners: Optional[List[str]] = None,
        protocols: Optional[Literal["tcp", "udp", "all"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Packets of the targets pass at a limited rate, those too many wait or are dropped. (`network.rate`)"""
        return self._fault(
            "network.rate",
            {
                "rate": rate,
                "burst": burst,
                "latency": latency,
                "backend": backend,
                "peers": peers,
                "direction": direction,
                "ports": ports,
                "listeners": listeners,
                "protocols": protocols,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def network_reorder(
        self,
        *,
        ratio: Optional[Union[float, str]] = None,
        correlation: Optional[Union[float, str]] = None,
        gap: Optional[int] = None,
        hold: Optional[Union[str]] = None,
        backend: Optional[Literal["nfqueue", "netem", "netem-or-nfqueue"]] = None,
        peers: Optional[List[str]] = None,
        direction: Optional[Literal["outbound", "inbound", "both"]] = None,
        ports: Optional[List[int]] = None,
        listeners: Optional[List[str]] = None,
        protocols: Optional[Literal["tcp", "udp", "all"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Some packets of the targets are overtaken by later ones. (`network.reorder`)"""
        return self._fault(
            "network.reorder",
            {
                "ratio": ratio,
                "correlation": correlation,
                "gap": gap,
                "hold": hold,
                "backend": backend,
                "peers": peers,
                "direction": direction,
                "ports": ports,
                "listeners": listeners,
                "protocols": protocols,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def network_reset(
        self,
        *,
        peers: Optional[List[str]] = None,
        ports: Optional[List[int]] = None,
        listeners: Optional[List[str]] = None,
        ratio: Optional[Union[float, str]] = None,
        once: Optional[bool] = None,
        half_open: Optional[bool] = None,
        backend: Optional[Literal["nft", "iptables"]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """TCP connections of the targets break: reset, or gone on one side only. (`network.reset`)"""
        return self._fault(
            "network.reset",
            {
                "peers": peers,
                "ports": ports,
                "listeners": listeners,
                "ratio": ratio,
                "once": once,
                "halfOpen": half_open,
                "backend": backend,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def noop(
        self,
        *,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Does nothing: shows that arming, firing and healing work. (`noop`)"""
        return self._fault(
            "noop",
            {
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def process_kill(
        self,
        *,
        process: Optional[DiskPowercutProcess] = None,
        signal: Optional[Literal["SIGKILL", "SIGTERM"]] = None,
        restart: Optional[Union[Literal["never", "heal"], DiskPowercutRestart1]] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Kills a process, by default the broker; starts it again when healed. (`process.kill`)"""
        return self._fault(
            "process.kill",
            {
                "process": process,
                "signal": signal,
                "restart": restart,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )

    def process_pause(
        self,
        *,
        process: Optional[DiskPowercutProcess] = None,
        duty: Optional[ProcessPauseDuty] = None,
        targets: Optional[Targets] = None,
        duration: Optional[str] = None,
        lease: Optional[str] = None,
        id: Optional[str] = None,
        reason: Optional[str] = None,
        override: Optional[Dict[str, Any]] = None,
        wait: Optional[str] = None,
    ) -> ActiveFault:
        """Stops a process, by default the broker, and lets it go on when healed. (`process.pause`)"""
        return self._fault(
            "process.pause",
            {
                "process": process,
                "duty": duty,
            },
            targets=targets,
            duration=duration,
            lease=lease,
            id=id,
            reason=reason,
            override=override,
            wait=wait,
        )
