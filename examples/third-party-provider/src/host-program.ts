/**
 * What runs on a host: POSIX sh, and nothing that has to be installed. Its first argument is the directory of the claims,
 * the second the verb. Payload comes over stdin, since every user of the host can read argument lists.
 *
 * A claim is a directory of its own; the symbolic link `current` says which one holds the host. Making a link fails where
 * there is one, so two who claim at once cannot both succeed, and whoever dies before has claimed nothing.
 */
export const HOST_PROGRAM = `set -u
dir=$1 verb=$2 claim=\${3-}
home=$dir/claims/$claim
current() { readlink "$dir/current" 2>/dev/null | sed 's,.*/,,'; }
mine() { [ "$(current)" = "$claim" ] || { echo gone; exit 0; }; }
encoded() { [ -f "$1" ] && base64 <"$1" | tr -d '\\n'; }
show() {
  at=$dir/claims/$1
  state=none
  if [ -f "$at/exit" ]; then state=$(cat "$at/exit")
  elif [ -f "$at/pid" ]; then
    if kill -0 "$(cat "$at/pid")" 2>/dev/null; then state=running; else state=lost; fi
  fi
  echo "claim $1 $state $(encoded "$at/ownership.json")"
}
case $verb in
  list) now=$(current); if [ -n "$now" ]; then show "$now"; else echo free; fi ;;
  claim)
    umask 077
    mkdir -p "$home" || exit 28
    IFS= read -r ownership
    printf '%s' "$ownership" | base64 -d >"$home/ownership.json" || exit 28
    cat >"$home/bootstrap" || exit 28
    if ! ln -sn "claims/$claim" "$dir/current" 2>/dev/null; then
      rm -rf "$home"
      echo taken
      exit 0
    fi
    if [ -s "$home/bootstrap" ]; then
      cd "$home" || exit 1
      # A session of its own: it outlives this connection, and ends as a whole.
      command -v setsid >/dev/null && own=setsid || own=
      # And a directory of its own: the next claim of this host has a bootstrap too.
      nohup $own sh -c 'echo $$ >pid; SLIPWAY_BOOTSTRAP_DIR=$PWD/state sh ./bootstrap >printed 2>&1 </dev/null; echo $? >exit' >/dev/null 2>&1 </dev/null &
    fi
    show "$claim" ;;
  release)
    [ "$(current)" = "$claim" ] && rm -f "$dir/current"
    if [ -f "$home/pid" ]; then
      kill -KILL -"$(cat "$home/pid")" 2>/dev/null || kill -KILL "$(cat "$home/pid")" 2>/dev/null
    fi
    [ -n "$claim" ] && rm -rf "$home"
    echo done ;;
  log)
    mine
    # A script of the caller's own writes no log beside itself.
    [ -f "$home/state/output.log" ] && cat "$home/state/output.log" || cat "$home/printed" 2>/dev/null
    exit 0 ;;
  put) mine; cat >"$4" && echo done ;;
  read) mine; base64 <"$4" | tr -d '\\n' ;;
  exec) [ "$(current)" = "$claim" ] || exit 254; shift 3; cd "$home" && exec "$@" ;;
esac
`;
