{ sleep 0.3; cornu help train; } | true; exit ${PIPESTATUS[0]}
