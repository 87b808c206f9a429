# What a suite of tests/world is, sourced by each:
#
#	about=...	what runs, in a few words, for the table
#	alone=yes	also with the library alone, where its ring does not grow too large
#	prepare()	makes inputs in the current folder ($INPUT), unrecorded, once
#	measure()	runs in an empty folder; prints lines that each run must print alike
#	aside		rows of "regular expression <TAB> reason": lines of results that are
#			not compared. As few as possible.
#	lost_alone	"cause: reason" where the library alone must count losses
#	suite		the last line: does what the word on the command line asks for
#
# $SOURCE is this project's tree, $SUITES this folder. Programs that refuse to run as root
# are started by `as_nobody`.
alone=yes
aside=
lost_alone=
prepare() { :; }

# as_nobody COMMAND ...: as the user nobody where this is root; current folder given to it.
as_nobody()
{
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=nobody --regid=nogroup --clear-groups "$@"
	else
		"$@"
	fi
}

# wait_for SECONDS COMMAND ...: until the command succeeds; 1 where it never did.
wait_for()
{
	local left=$(($1 * 20))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || { echo "waited in vain for: $*"; return 1; }
		sleep 0.05
	done
}

# numbers_hidden: standard input with each number replaced by N: what is said, not how much.
numbers_hidden()
{
	sed -E 's/[0-9]+(\.[0-9]+)?/N/g'
}

suite()
{
	case ${word:-} in
	about) echo "$about" ;;
	alone) echo "$alone" ;;
	aside) [ -z "$aside" ] || printf '%s\n' "$aside" ;;
	lost_alone) echo "$lost_alone" ;;
	prepare | measure) "$word" ;;
	*) echo "usage: $0 about|alone|aside|lost_alone|prepare|measure" >&2; exit 2 ;;
	esac
}

word=$1
