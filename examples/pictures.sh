#!/bin/sh
# Draw the pictures of docs/threshold.md: examples/pictures.sh BUILD FOLDER. BUILD holds
# allotrope and examples/; gnuplot draws what the reports print as CSV.
set -eu
build=$(cd "$1" && pwd)
folder=$(cd "$2" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export ALLOTROPE_PAGER=
PATH="$build:$build/examples:$PATH"

allotrope record -q -- threshold_walk >/dev/null
allotrope threshold --each --format=csv --until=mark:free >first.csv
allotrope threshold --each --format=csv --since='mark:second walk' >second.csv

# beyond 32 MiB the list moves no threshold: 4,300,000 pointers
allotrope record -q -o with.data -- int_blocks 4300000 >/dev/null
GLIBC_TUNABLES=glibc.malloc.tcache_count=0 \
	allotrope record -q -o without.data -- int_blocks 4300000 >/dev/null
for run in with without; do
	allotrope timeline --format=csv $run.data >$run.csv
done

gnuplot <<PLOT
set datafile separator ','
set grid
set format x "%'.0f"

set terminal pngcairo size 900,340
set output '$folder/threshold-walk.png'
set multiplot layout 1,2
set xlabel 'bytes requested'
set ylabel 'of 100 calls, mapped'
set yrange [-8:108]
unset key
do for [at in '131049 135145'] {
	set xrange [at - 20.5:at + 9.5]
	set xtics at - 20, 10
	set title at == 131049 ? 'first walk' : 'second walk, after a free'
	plot at == 131049 ? 'first.csv' : 'second.csv' every ::1 using 1:(100*\$6/\$2) \
		with points pt 7 lc rgb '#1f5fa8'
}
unset multiplot

set terminal pngcairo size 900,340
set output '$folder/threshold-break.png'
set multiplot layout 1,2
set format x '%g'
set xlabel 'milliseconds'
set ylabel 'MiB'
set xrange [0:*]
set xtics auto
set yrange [0:190]
set key top left
do for [run in 'with without'] {
	set title run.' the tcache'
	plot run.'.csv' every ::1 using (\$3*1000):(\$4/1048576) with filledcurves x1 \
		lc rgb '#c7dcf5' title 'live blocks', \
	     run.'.csv' every ::1 using (\$3*1000):(\$8/1048576) with lines lw 2 lc rgb '#1b7837' \
		title 'heap, up to the break', \
	     run.'.csv' every ::1 using (\$3*1000):(\$9/1048576) with lines lw 2 lc rgb '#8040c0' \
		title 'mapped by malloc'
}
unset multiplot
PLOT
