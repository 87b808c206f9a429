#!/bin/sh
# Print what examples/README.md shows: examples/course.sh BUILD (a folder that holds
# allotrope and examples/). Addresses and times differ from run to run.
set -eu
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export ALLOTROPE_PAGER=
PATH="$build:$build/examples:$PATH"

# Show a command, then what it prints.
say() { printf '\n$ %s\n' "$1"; eval "$1"; }
lesson() { printf '\n## %s\n' "$1"; }

lesson benchmark.c
say 'allotrope record -q -- benchmark'
say 'allotrope ltrace -S'
say 'allotrope summary | sed -n "/^Heap/,/system/p"'

lesson int_blocks.c
say 'allotrope record -q -- int_blocks'
say 'allotrope sizes'
say 'allotrope sites --sort=blocks --top=1'
say 'allotrope summary | sed -n "/^Heap/,/system/p"'
say 'GLIBC_TUNABLES=glibc.malloc.tcache_count=0 allotrope record -q -- int_blocks'
say 'allotrope summary | sed -n "/^Heap/,/system/p; /program break moved/,/environment/p"'

lesson alloc_size.c
say 'allotrope record -q -- alloc_size'
say 'allotrope ltrace -S'
say 'allotrope maps --diff "mark:32 KiB" "mark:32 KiB allocated"'
say 'allotrope maps --diff "mark:32 KiB allocated" "mark:32 KiB freed"'
say 'allotrope maps --diff "mark:256 KiB" "mark:256 KiB allocated"'
say 'allotrope maps --diff "mark:256 KiB allocated" "mark:256 KiB freed"'

lesson threshold_walk.c
say 'allotrope record -q -- threshold_walk'
say 'allotrope threshold | sed -n "/^The thresholds/,/glibc.s rule/p"'
say 'allotrope record -q -- threshold_walk 65536'
say 'allotrope threshold | sed -n "/^The thresholds/,/glibc.s rule/p"'

lesson trim.c
say 'allotrope record -q -- trim'
say 'allotrope strace --cause --no-startup | tail -n 2'

lesson arenas.c
say 'allotrope record -q -- arenas'
say 'allotrope maps --at=mark:full | grep -A2 -E "^(heap|malloc arena) .*at"'
say 'allotrope strace -f -c'

lesson realloc_growth.c
say 'allotrope record -q -- realloc_growth'
say 'allotrope strace --no-startup'

lesson demand_paging.c
say 'allotrope record -q -- demand_paging'
say 'allotrope maps --sites --at=mark:touched | sed -n "3,4p"'
say 'allotrope maps --diff mark:freed "mark:code used"'

lesson map_copy.c
say 'head -c 8388608 /dev/urandom >from.dat'
say 'allotrope record -q -- map_copy from.dat to.dat'
say 'allotrope strace --no-startup'
say 'allotrope maps --diff mark:mapped mark:copied'

lesson static_dynamic.c
say 'allotrope record -q --no-preload -- static_dynamic_static'
say 'allotrope maps -x'
say 'allotrope record -q --no-preload -- static_dynamic'
say 'allotrope maps -x'

lesson modify_areas.c
say 'allotrope record -q -- modify_areas'
p=begin
for m in text data bss heap stack; do
	say "allotrope maps --diff mark:$p mark:$m | tail -n +4"
	p=$m
done
