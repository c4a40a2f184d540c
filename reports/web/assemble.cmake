# Makes page.c: reports/web/page.html with the style, the scripts, the chart library and its licence
# in it, cut in two where the data goes. Run by reports/CMakeLists.txt at build time:
#   cmake -D WEB=FOLDER -D UPLOT=FOLDER -D OUTPUT=FILE -P assemble.cmake
set(scripts data.js lanes.js signs.js timeline.js events.js charts.js whatif.js page.js)

function(insert variable mark text)
  string(FIND "${${variable}}" "${mark}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "page.html: expected the mark ${mark}, found none")
  endif()
  string(LENGTH "${mark}" length)
  string(SUBSTRING "${${variable}}" 0 ${at} before)
  math(EXPR at "${at} + ${length}")
  string(SUBSTRING "${${variable}}" ${at} -1 after)
  set(${variable} "${before}${text}${after}" PARENT_SCOPE)
endfunction()

# As C's initialiser of an array. CMake's own lists would cut the text at semicolons: it goes
# through a file.
function(to_bytes text variable)
  file(WRITE "${OUTPUT}.part" "${text}")
  file(READ "${OUTPUT}.part" hex HEX)
  file(REMOVE "${OUTPUT}.part")
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)"
         "\\1\n" bytes "${bytes}")
  set(${variable} "${bytes}" PARENT_SCOPE)
endfunction()

file(READ "${WEB}/page.html" page)
file(READ "${WEB}/style.css" style)
file(READ "${UPLOT}/dist/uPlot.min.css" chart_style)
file(READ "${UPLOT}/dist/uPlot.iife.min.js" chart_script)
file(READ "${UPLOT}/LICENSE" licence)
set(script "")
foreach(name IN LISTS scripts)
  file(READ "${WEB}/${name}" text)
  string(APPEND script "${text}\n")
endforeach()

insert(page "/*STYLE*/" "${chart_style}\n${style}")
insert(page "/*LICENCE*/" "/* Charts: uPlot.\n${licence}*/\n")
insert(page "/*CHARTS*/" "${chart_script}")
insert(page "/*SCRIPT*/" "${script}")
string(FIND "${page}" "<!--DATA-->" cut)
string(SUBSTRING "${page}" 0 ${cut} head)
math(EXPR cut "${cut} + 11")
string(SUBSTRING "${page}" ${cut} -1 tail)
to_bytes("${head}" head_bytes)
to_bytes("${tail}" tail_bytes)

file(WRITE "${OUTPUT}" "/* Made by reports/web/assemble.cmake. */
#include \"reports/page.h\"

static const unsigned char head[] = {
${head_bytes}};
static const unsigned char tail[] = {
${tail_bytes}};

const unsigned char *rep_page_part(enum rep_page_part part, size_t *size) {
  *size = part == REP_PAGE_HEAD ? sizeof head : sizeof tail;
  return part == REP_PAGE_HEAD ? head : tail;
}
")
