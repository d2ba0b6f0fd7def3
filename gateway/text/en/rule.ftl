# A rule as its owner reads it. The parts "for 15 s" begin with a space; they may be empty.
rule-sentence = We tell you when “{ $title }” is { $hot }{ $wait }. It is over when it is { $cool }{ $keep }.
rule-lasting = { " " }for { $span }
rule-below = below { $limit }
rule-above = above { $limit }
