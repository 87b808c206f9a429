#!/bin/sh
# `make demo`: record a real Python program with the build in the folder given,
# show where its memory is, and draw the article's picture of it.
set -eu
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
out=build/demo
mkdir -p "$out"
cd "$out"
export ALLOTROPE_PAGER=
PATH="$build:$PATH"

say() { printf '\n$ %s\n' "$*"; }
say "allotrope record -- python3 examples/wordcount.py"
allotrope record -o demo.data -- /usr/bin/python3 "$here/wordcount.py"
say "allotrope summary"
allotrope summary demo.data
say "allotrope record --python-malloc -- python3 examples/wordcount.py"
allotrope record --python-malloc -o objects.data -- /usr/bin/python3 "$here/wordcount.py"
say "allotrope sizes --log2"
allotrope sizes --log2 objects.data
say "allotrope sites --sort=peak_bytes --top=3 --depth=6"
allotrope sites --sort=peak_bytes --top=3 --depth=6 objects.data
say 'allotrope ltrace -tt -e malloc -l python | grep malloc | sed ... | gnuplot'
allotrope ltrace -tt -e malloc -l python objects.data 2>&1 | grep "malloc" |
	sed "s/python.*(//" | sed "s/).*//" |
	gnuplot -e "set terminal pngcairo size 1000,500; set output 'sizes.png'; \
set title 'malloc sizes over time: examples/wordcount.py'; set ylabel 'bytes requested'; \
set logscale y; set grid; set xdata time; set timefmt '%H:%M:%S'; set format x '%.2S s'; unset key; \
plot '<cat' using 1:2 with points pt 7 ps 0.15 lc rgb '#1f5fa8'"
say "allotrope timeline"
allotrope timeline demo.data
say "allotrope timeline --format=png -o timeline.png; allotrope flame -o flame.svg"
allotrope timeline --format=png -o timeline.png demo.data
allotrope flame -o flame.svg objects.data
echo "wrote $out/sizes.png, timeline.png, flame.svg, and the recordings demo.data, objects.data"
