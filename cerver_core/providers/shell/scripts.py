"""The programs that are run inside a remote sandbox, for a POSIX shell with GNU tools; who calls them is elsewhere.

Each is called as `sh -c SCRIPT NAME ARGUMENTS...`. Every process of an execution has `CERVER_EXEC=<id>` in its
environment, by which its tree is found however it detached itself; a process that clears its environment escapes.
The id is 32 hex digits. It is handed to the scripts that look for it in two parts, so that they do not find themselves.
"""

__all__ = [
    "COMMIT", "END", "FEED", "FOLLOW", "HANDS", "KEEP_STATE", "LIST", "PACK", "PROCESSES", "READ", "RUN", "SET_UP",
    "START", "TAKE_STATE", "UNPACK",
]  # fmt: skip

SET_UP = r"""
case $1 in home) B=$HOME;; cwd) B=$PWD;; *) B=$1;; esac
umask 022
cd -P -- "$B" && mkdir -p cerver/work cerver/tmp cerver/packages cerver/run && cd -P cerver || exit 1
printf '%s\n%s\n' "$PWD" "$PATH"
for p in python3 node npm; do command -v "$p" >/dev/null 2>&1 && printf '%s\n' "$p"; done
exit 0
"""
"""base -> the root, PATH, and the programs there are, a line each. Base is `home`, `cwd` or a folder."""

RUN = r"""
R=$1 I=$2 T=$3 P=$4 WHERE=$5; shift 5
say() { printf '\036%s %s\n' "$I" "$1" >&2; }
[ -e "$R/run/dead-$I" ] && exit 137
cd -P -- "$R/work" 2>/dev/null || { say gone; exit 1; }
W=$PWD OLD= WORD=started
if [ -n "$WHERE" ]; then
  cd -P -- "./$WHERE" 2>/dev/null || { say no-folder; exit 1; }
  case $PWD/ in "$W"/*) ;; *) say escapes; exit 1;; esac
elif [ -r "$R/run/cwd" ]; then
  IFS= read -r OLD <"$R/run/cwd"
  [ -z "$OLD" ] || cd -- "$OLD" 2>/dev/null || WORD=moved
fi
command -v "$P" >/dev/null 2>&1 || { say no-runtime; exit 1; }
say $WORD
exec 3>&2 2>/dev/null
# A command that signals its group reaches itself, and this shell, which outlives it; not what the vendor runs beside.
trap : HUP INT QUIT ALRM TERM
read -r _ _ _ _ GROUP _ </proc/$$/stat
[ "$GROUP" = $$ ] || set -- setsid "$@"
# The watchdog runs beside the command, so that the command waits for nothing but itself.
(
  trap '' HUP INT QUIT ALRM TERM
  trap 'kill -KILL "$!"; wait; exit' USR1
  CERVER_EXEC=$I sleep "$T" & wait
  trap '' USR1
  : >"$R/run/late-$I"
  read -r ME _ </proc/self/stat
  # The command itself is this shell's child, should it have cleared its environment.
  found() {
    LC_ALL=C grep -ls -e "CERVER_EXEC=$I" -e "^[0-9]* (.*) [^Z] $$ " /proc/[0-9]*/environ /proc/[0-9]*/stat \
      | cut -d / -f 3 | grep -vx "$ME" | sort -u
  }
  s=$(found)
  # All at once: a parent that sees its child end would go on with what comes next.
  [ -z "$s" ] || { kill -STOP $s; kill -TERM $s; kill -CONT $s; }
  n=0
  while [ $n -lt 10 ] && [ -n "$(found)" ]; do sleep 0.05; n=$((n+1)); done
  n=0
  while s=$(found); [ -n "$s" ] && [ $n -lt 150 ]; do kill -STOP $s; kill -KILL $s; n=$((n+1)); done
) </dev/null >/dev/null 3>&- &
# In a subshell, so that what this shell has to say of its end does not go to the command's own errors.
(
  export CERVER_EXEC=$I
  [ "$0" = background ] || exec </dev/null
  exec "$@" 2>&3 3>&-
)
C=$? L=0
kill -USR1 "$!"
if [ -e "$R/run/late-$I" ]; then L=1; wait "$!"; rm -f -- "$R/run/late-$I"; fi
[ ! -e "$R/run/code-$I" ] || rm -f -- "$R/run/code-$I"
printf '\036%s ended %s %s\n' "$I" "$C" "$L" >&3
printf '\036%s ended\n' "$I"
if [ "$0" = background ]; then read -r H <"$R/run/bg-$I/holder" && kill "$H"; fi
wait "$!"
exit "$C"
"""
"""root id timeout_s program where argv... -> runs argv; `where` empty is where the session stands.

Tells `started`, `moved`, or why not, on standard error; at the end `ended CODE LATE` there and `ended` on standard
output, each after a record separator and the id, so that the end of both is known however long they are held open.
At the deadline the command's whole tree is asked to end, and what is left half a second later is killed.
"""

END = r"""
R=$1; X="[$2]$3"; : >"$R/run/dead-$2$3"
n=0
while [ $n -lt 200 ]; do
  s=
  for f in $(LC_ALL=C grep -ls -e "$X" /proc/[0-9]*/environ /proc/[0-9]*/cmdline); do
    f=${f#/proc/}; s="$s ${f%/*}"
  done
  [ -n "$s" ] || exit 0
  kill -STOP $s; kill -KILL $s
  sleep 0.01; n=$((n+1))
done 2>/dev/null
exit 1
"""
"""root, the id's first digit, its other digits -> ends the execution's whole tree, also before it has begun."""

START = r"""
S=$1; shift; D=$1/run/bg-$2
mkdir -- "$D" && mkfifo -- "$D/in" || exit 1
( export CERVER_EXEC=$2; exec sleep 2147483647 ) </dev/null >"$D/in" 2>/dev/null &
echo $! >"$D/holder"
setsid /bin/sh -c "$S" background "$@" <"$D/in" >"$D/out" 2>"$D/err" &
echo $! >"$D/pid"
n=0; while [ ! -s "$D/err" ] && [ $n -lt 500 ]; do sleep 0.01; n=$((n+1)); done
head -n 1 "$D/err"
"""
"""the script RUN and its arguments -> starts it in the background with a pipe for its input; gives its first word."""

PROCESSES = r"""
for d in "$1"/run/bg-*; do
  [ -r "$d/pid" ] && read -r p <"$d/pid" && grep -qsF -e "${d##*/bg-}" "/proc/$p/cmdline" \
    && printf '%s\n' "${d##*/bg-}"
done
exit 0
"""
"""root -> the ids of the background processes that run."""

FOLLOW = r"""
[ -r "$1/pid" ] && read -r p <"$1/pid" || exit 3
tail -c +1 -f -s 0.05 --pid="$p" -- "$1/err" >&2 &
tail -c +1 -f -s 0.05 --pid="$p" -- "$1/out"
wait
"""
"""the folder of a background process -> what it wrote and writes, until it ends."""

FEED = r"""
D=$1/run/bg-$2
[ -r "$D/pid" ] && read -r p <"$D/pid" && grep -qsF -e "$2" "/proc/$p/cmdline" || { echo ended; exit 0; }
[ -z "$3" ] || printf %s "$3" | base64 -d 1<>"$D/in" || exit 1
if [ -n "$4" ]; then read -r H <"$D/holder"; kill "$H" 2>/dev/null; fi
exit 0
"""
"""root id base64 close -> writes to a background process's input."""

_PLACE = r"""
cd -P -- "$1/work" 2>/dev/null || { echo gone; exit 0; }
W=$PWD N= LINKS=0 REST=$2 MAKE=$3
no() { echo "$1"; exit 0; }
while :; do
  while [ "${REST#/}" != "$REST" ]; do REST=${REST#/}; done
  [ -n "$REST" ] || break
  N=${REST%%/*}; REST=${REST#"$N"}
  while [ "${REST#/}" != "$REST" ]; do REST=${REST#/}; done
  case $N in
    .) N=; continue;;
    ..) [ "$PWD" != "$W" ] || no escapes; cd -P .. || no denied; N=; continue;;
  esac
  if [ -L "./$N" ]; then
    LINKS=$((LINKS+1)); [ $LINKS -le 40 ] || no links
    TO=$(readlink -- "./$N" && echo x); TO=${TO%?x}
    case $TO in /*) no escapes;; esac
    REST=$TO/$REST N=
    continue
  fi
  [ -n "$REST" ] || break
  if ! cd -P -- "./$N" 2>/dev/null; then
    [ ! -e "./$N" ] || { [ -d "./$N" ] && no denied || no not-a-folder; }
    [ -n "$MAKE" ] || no missing
    mkdir -- "./$N" 2>/dev/null && cd -P -- "./$N" || no denied
  fi
  N=
done
umask 022
"""
"""root path make ... -> stands in the folder of the path's last name, which is in N; empty for the folder itself."""

READ = (
    _PLACE
    + r"""
[ -n "$N" ] || no not-a-file
[ -e "./$N" ] || no missing
[ -f "./$N" ] || no not-a-file
[ -r "./$N" ] || no denied
S=$(stat -c %s -- "./$N")
if [ "$S" -le "$4" ]; then echo here; base64 -w 0 -- "./$N"; else printf 'there %s\n%s/%s' "$S" "$PWD" "$N"; fi
"""
)
"""root path '' most -> `here` and the content in base64, or, if it has more bytes, `there`, the size and the path."""

COMMIT = (
    r"""A=$4 B=$5
trap 'rm -f -- "$A"' EXIT
"""
    + _PLACE
    + r"""
[ -n "$N" ] || no not-a-file
[ -z "$B" ] || printf %s "$B" | base64 -d >"$A" 2>/dev/null || no failed
[ -e "$A" ] || : >"$A"
if [ -e "./$N" ]; then
  [ -f "./$N" ] || no not-a-file
  chmod --reference="./$N" -- "$A"
else chmod 644 -- "$A"; fi
mv -fT -- "$A" "./$N" 2>/dev/null || no failed
echo done
"""
)
"""root path make partial base64 -> puts a file in its place, written elsewhere or, if given, as base64."""

LIST = (
    _PLACE
    + r"""
if [ -n "$N" ]; then
  [ -e "./$N" ] || no missing
  [ -d "./$N" ] || no not-a-folder
  cd -P -- "./$N" 2>/dev/null || no denied
fi
echo here
find . -mindepth 1 -maxdepth "$4" -printf '%P/%y%s\0' 2>/dev/null | LC_ALL=C sort -z | head -z -n "$5" | base64 -w 0
"""
)
"""root path '' depth most -> `here`, and in base64 every entry as path, slash, kind and size, with NUL between."""

PACK = (
    _PLACE
    + r"""
if [ -n "$N" ]; then
  [ -e "./$N" ] || no missing
  [ -d "./$N" ] || no not-a-folder
  cd -P -- "./$N" 2>/dev/null || no denied
fi
tar --format=posix --hard-dereference --ignore-failed-read -cf "$4" . 2>/dev/null
[ $? -le 1 ] && [ -s "$4" ] || no failed
echo done
"""
)
"""root path '' archive -> packs a folder."""

UNPACK = (
    r"""A=$4
trap 'rm -f -- "$A" "$A".part*' EXIT
"""
    + _PLACE
    + r"""
if [ -n "$N" ]; then
  [ -e "./$N" ] || mkdir -- "./$N" 2>/dev/null
  [ -d "./$N" ] || no not-a-folder
  cd -P -- "./$N" 2>/dev/null || no denied
fi
tar --no-same-owner --same-permissions -xf "$A" 2>/dev/null || no failed
echo done
"""
)
"""root path make archive -> unpacks over a folder of the workspace."""

HANDS = r"""cat -- "$1".part* >"$1" && rm -f -- "$1".part*"""
"""file -> joins the parts of a file that was too large for one call."""

KEEP_STATE = r"""
umask 077; printf %s "$3" | base64 -d >"$1/run/$2" && mv -fT -- "$1/run/$2" "$1/run/state.json"
"""
"""root name base64 -> replaces the state."""

TAKE_STATE = r"""[ ! -e "$1/run/state.json" ] || base64 -w 0 -- "$1/run/state.json" """
"""root -> the state in base64; nothing when none was set."""
