# A reader that has left: no sentence, and the end of a program that SIGPIPE ends.
{ sleep 0.3; cornu help train; } | true; exit ${PIPESTATUS[0]}
