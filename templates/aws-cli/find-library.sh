script=${BASH_SOURCE[0]:-$0}
while [ -L "$script" ]; do # a link is followed to where the folders are
  link=$(readlink -- "$script")
  case $link in /*) script=$link ;; *) script=$(dirname -- "$script")/$link ;; esac
done
LIBRARY=$(unset CDPATH && cd -P -- "$(dirname -- "$script")/.." && pwd)/lib
for file in logmap.sh helper.py monitoring.py; do
  if [ ! -r "$LIBRARY/$file" ]; then
    printf 'error: %s is not there: copy the folder {{ folder }}/ as a whole, this script needs what is in its lib/. Nothing was changed\n' "$LIBRARY/$file" >&2
    exit 5
  fi
done
LIBRARY_INTERFACE=''
# shellcheck source-path=SCRIPTDIR source=../lib/logmap.sh
. "$LIBRARY/logmap.sh"
if [ "$LIBRARY_INTERFACE" != {{ interface }} ]; then
  printf 'error: %s is of another logmap than this script (its interface is %s, and {{ interface }} is needed): copy the folder {{ folder }}/ as a whole, or run "logmap generate" again. Nothing was changed\n' "$LIBRARY" "${LIBRARY_INTERFACE:-unknown}" >&2
  exit 5
fi
