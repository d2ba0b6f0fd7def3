# A rule as its owner reads it. The parts "15 s lang" begin with a space; they may be empty.
rule-sentence = Wir melden uns, wenn „{ $title }“{ $wait } { $hot } liegt. Es ist vorbei, wenn der Wert{ $keep } { $cool } liegt.
rule-lasting = { " " }{ $span } lang
rule-below = unter { $limit }
rule-above = über { $limit }
