namespace ClipOod.Runner.Rendering;

/// <summary>TeX's classes of atoms: they decide the space between neighbours.</summary>
internal enum AtomClass { Ordinary, Operator, Binary, Relation, Open, Close, Punctuation }

/// <summary>The commands that stand for one sign or one name.</summary>
internal static class TexSymbols
{
    /// <summary>Signs by command: the character and its class.</summary>
    public static IReadOnlyDictionary<string, (string Text, AtomClass Class)> Signs { get; } = BuildSigns();

    /// <summary>Large operators: limits go above and below in a displayed formula, except on integrals.</summary>
    public static IReadOnlyDictionary<string, string> LargeOperators { get; } = Pairs(
        "sum ∑ prod ∏ coprod ∐ bigcup ⋃ bigcap ⋂ bigvee ⋁ bigwedge ⋀ bigoplus ⨁ bigotimes ⨂ bigodot ⨀ bigsqcup ⨆ " +
        "int ∫ iint ∬ iiint ∭ oint ∮");

    /// <summary>Named functions, set upright: by command, the words shown.</summary>
    public static IReadOnlyDictionary<string, string> Functions { get; } = Words(
            "arccos arcsin arctan arg cos cosh cot coth csc deg dim exp hom ker lg ln log sec sin sinh tan tanh")
        .Append(new("limsup", "lim sup")).Append(new("liminf", "lim inf")).ToDictionary();

    /// <summary>Named functions that take limits below: <c>max</c>, <c>argmin</c> and their like.</summary>
    public static IReadOnlyDictionary<string, string> LimitFunctions { get; } = Words("det gcd inf lim max min Pr sup")
        .Append(new("argmax", "arg max")).Append(new("argmin", "arg min")).ToDictionary();

    /// <summary>Accents over one sign.</summary>
    public static IReadOnlyDictionary<string, string> Accents { get; } = Pairs(
        "hat ^ check ˇ tilde ~ acute ´ grave ` dot ˙ ddot ¨ breve ˘ bar ¯ vec → mathring ˚");

    /// <summary>
    /// Accents as wide as what they cover: the sign, and whether it goes above. Of hats and tildes the combining forms
    /// are the ones that mathematical fonts can widen.
    /// </summary>
    public static IReadOnlyDictionary<string, (string Text, bool Above)> WideAccents { get; } =
        new Dictionary<string, (string, bool)>
        {
            ["widehat"] = ("\u0302", true),
            ["widetilde"] = ("\u0303", true),
            ["overrightarrow"] = ("→", true),
            ["overleftarrow"] = ("←", true),
            ["overbrace"] = ("⏞", true),
            ["underbrace"] = ("⏟", false),
        };

    /// <summary>Delimiters by command, for <c>\left</c>, <c>\right</c>, <c>\big</c> and their like.</summary>
    public static IReadOnlyDictionary<string, string> Delimiters { get; } = Pairs(
        "{ { } } lbrace { rbrace } | ‖ Vert ‖ vert | lvert | rvert | lVert ‖ rVert ‖ langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ " +
        "lceil ⌈ rceil ⌉ lbrack [ rbrack ] uparrow ↑ downarrow ↓ Uparrow ⇑ Downarrow ⇓ backslash \\ lgroup ⟮ rgroup ⟯");

    /// <summary>Widths of the spacing commands, in em.</summary>
    public static IReadOnlyDictionary<string, string> Spaces { get; } = new Dictionary<string, string>
    {
        [","] = "0.1667em",
        ["thinspace"] = "0.1667em",
        [":"] = "0.2222em",
        [">"] = "0.2222em",
        ["medspace"] = "0.2222em",
        [";"] = "0.2778em",
        ["thickspace"] = "0.2778em",
        [" "] = "0.3333em",
        ["\n"] = "0.3333em",
        ["enspace"] = "0.5em",
        ["quad"] = "1em",
        ["qquad"] = "2em",
        ["!"] = "-0.1667em",
        ["negthinspace"] = "-0.1667em",
    };

    private static Dictionary<string, (string, AtomClass)> BuildSigns()
    {
        var signs = new Dictionary<string, (string, AtomClass)>(StringComparer.Ordinal);
        Add(AtomClass.Ordinary,
            "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu μ nu ν " +
            "xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi ϕ varphi φ chi χ psi ψ omega ω " +
            "Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω " +
            "infty ∞ partial ∂ nabla ∇ ell ℓ hbar ℏ Re ℜ Im ℑ aleph ℵ wp ℘ imath ı jmath ȷ emptyset ∅ varnothing ∅ forall ∀ exists ∃ " +
            "nexists ∄ neg ¬ lnot ¬ top ⊤ bot ⊥ angle ∠ triangle △ prime ′ degree ° dagger † checkmark ✓ square □ blacksquare ■ star ⋆ " +
            "clubsuit ♣ % % # # & & _ _ $ $ S § P ¶ ldots … dots … cdots ⋯ dotsc … dotsb ⋯ vdots ⋮ ddots ⋱ backslash \\ surd √ " +
            "uparrow ↑ downarrow ↓");
        Add(AtomClass.Binary,
            "pm ± mp ∓ times × div ÷ cdot ⋅ ast ∗ circ ∘ bullet ∙ oplus ⊕ ominus ⊖ otimes ⊗ oslash ⊘ odot ⊙ cup ∪ cap ∩ sqcup ⊔ sqcap ⊓ " +
            "setminus ∖ smallsetminus ∖ wedge ∧ land ∧ vee ∨ lor ∨ wr ≀ uplus ⊎ amalg ⨿ bmod mod");
        Add(AtomClass.Relation,
            "le ≤ leq ≤ leqslant ⩽ ge ≥ geq ≥ geqslant ⩾ ne ≠ neq ≠ ll ≪ gg ≫ lt < gt > equiv ≡ sim ∼ simeq ≃ approx ≈ cong ≅ propto ∝ " +
            "asymp ≍ doteq ≐ triangleq ≜ coloneqq ≔ in ∈ notin ∉ ni ∋ subset ⊂ supset ⊃ subseteq ⊆ supseteq ⊇ subsetneq ⊊ nsubseteq ⊈ " +
            "sqsubseteq ⊑ prec ≺ succ ≻ preceq ⪯ succeq ⪰ mid ∣ nmid ∤ parallel ∥ perp ⟂ vdash ⊢ dashv ⊣ models ⊨ lesssim ≲ gtrsim ≳ " +
            "to → rightarrow → gets ← leftarrow ← leftrightarrow ↔ Rightarrow ⇒ implies ⟹ Leftarrow ⇐ impliedby ⟸ Leftrightarrow ⇔ " +
            "iff ⟺ mapsto ↦ longrightarrow ⟶ longleftarrow ⟵ Longrightarrow ⟹ longmapsto ⟼ hookrightarrow ↪ hookleftarrow ↩ " +
            "rightharpoonup ⇀ rightleftharpoons ⇌ nearrow ↗ searrow ↘ leadsto ⇝ rightsquigarrow ⇝ updownarrow ↕");
        Add(AtomClass.Open, "{ { lbrace { lvert | lVert ‖ langle ⟨ lfloor ⌊ lceil ⌈ lbrack [");
        Add(AtomClass.Close, "} } rbrace } rvert | rVert ‖ rangle ⟩ rfloor ⌋ rceil ⌉ rbrack ]");
        Add(AtomClass.Ordinary, "| ‖ Vert ‖ vert |");
        Add(AtomClass.Punctuation, "colon :");
        return signs;

        void Add(AtomClass @class, string table)
        {
            foreach ((string name, string text) in Pairs(table))
            {
                signs.Add(name, (text, @class));
            }
        }
    }

    private static Dictionary<string, string> Pairs(string table)
    {
        string[] parts = table.Split(' ');
        return Enumerable.Range(0, parts.Length / 2).ToDictionary(i => parts[2 * i], i => parts[2 * i + 1], StringComparer.Ordinal);
    }

    private static IEnumerable<KeyValuePair<string, string>> Words(string words) =>
        words.Split(' ').Select(word => KeyValuePair.Create(word, word));
}
