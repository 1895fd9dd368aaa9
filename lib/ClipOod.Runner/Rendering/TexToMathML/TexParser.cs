using System.Globalization;
using System.Xml.Linq;

namespace ClipOod.Runner.Rendering;

/// <summary>Parses a formula, by recursive descent, into MathML.</summary>
internal sealed class TexParser(string source)
{
    // Deeper than any formula that a person writes, and far from exhausting the stack.
    private const int MaxDepth = 100;

    private readonly TexLexer _lexer = new(source);
    private TexAlphabet _alphabet = TexAlphabet.Italic;
    private int _scripts;
    private int _depth;

    /// <summary>The whole formula as one element.</summary>
    public XElement ParseFormula()
    {
        XElement row = Finish(ParseRow());
        TexToken end = _lexer.Peek();
        return end.Kind == TexTokenKind.End ? row : throw Unexpected(end);
    }

    private static TexException Unexpected(TexToken token) => new(token switch
    {
        { Kind: TexTokenKind.Close } => "A closing brace } has no opening one.",
        { Kind: TexTokenKind.Ampersand } => "An & separates columns: it belongs between \\begin{...} and \\end{...}; write \\& for the sign.",
        { Kind: TexTokenKind.Command, Text: "\\" } => "A line break \\\\ belongs between \\begin{...} and \\end{...}, such as aligned.",
        { Kind: TexTokenKind.Command, Text: "right" } => "A \\right has no \\left before it.",
        { Kind: TexTokenKind.Command, Text: "end" } => "An \\end has no \\begin before it.",
        _ => $"Unexpected {token.Source}.",
    }, token.Position);

    private XElement Finish(IReadOnlyList<TexAtom> atoms) => TexRow.ToElement(atoms, _scripts > 0);

    /// <summary>Atoms up to something that ends a row, which is left for the caller to judge.</summary>
    private List<TexAtom> ParseRow()
    {
        GoDeeper();
        var atoms = new List<TexAtom>();
        while (!EndsRow(_lexer.Peek()))
        {
            if (_lexer.Peek() is { Kind: TexTokenKind.Command, Text: "displaystyle" or "textstyle" } style)
            {
                _lexer.Read();
                XElement rest = Finish(ParseRow());
                string display = style.Text == "displaystyle" ? "true" : "false";
                atoms.Add(TexAtom.Ordinary(new XElement("mstyle", new XAttribute("displaystyle", display), new XAttribute("scriptlevel", 0), rest)));
            }
            else if (ParseScripted() is TexAtom atom)
            {
                atoms.Add(atom);
            }
        }

        _depth--;
        return atoms;
    }

    private static bool EndsRow(TexToken token) => token.Kind switch
    {
        TexTokenKind.End or TexTokenKind.Close or TexTokenKind.Ampersand => true,
        TexTokenKind.Command => token.Text is "\\" or "right" or "end" or "cr",
        _ => false,
    };

    /// <summary>One atom with its primes, superscript and subscript; null for a command that sets nothing.</summary>
    private TexAtom? ParseScripted()
    {
        TexToken start = _lexer.Peek();
        bool bare = start.Kind is TexTokenKind.Superscript or TexTokenKind.Subscript || start.IsCharacter("'");
        TexAtom? nucleus = bare ? TexAtom.Ordinary(new XElement("mrow")) : ParseNucleus(_lexer.Read());
        if (nucleus is null)
        {
            return null;
        }

        XElement? above = null;
        XElement? below = null;
        int primes = 0;
        while (true)
        {
            TexToken token = _lexer.Peek();
            if (token.IsCharacter("'"))
            {
                _lexer.Read();
                primes++;
            }
            else if (token.Kind == TexTokenKind.Superscript)
            {
                _lexer.Read();
                above = above is null ? ParseScript() : throw new TexException("Two superscripts on one sign: use braces.", token.Position);
            }
            else if (token.Kind == TexTokenKind.Subscript)
            {
                _lexer.Read();
                below = below is null ? ParseScript() : throw new TexException("Two subscripts on one sign: use braces.", token.Position);
            }
            else if (token.IsCommand("limits") || token.IsCommand("nolimits"))
            {
                _lexer.Read();
                nucleus.Core?.SetAttributeValue("movablelimits", "false");
                nucleus = nucleus with { Limits = token.Text == "limits" };
            }
            else
            {
                return WithScripts(nucleus, below, WithPrimes(above, primes));
            }
        }
    }

    private static XElement? WithPrimes(XElement? above, int primes)
    {
        if (primes == 0)
        {
            return above;
        }

        var signs = new XElement("mo", new XAttribute("lspace", "0em"), new XAttribute("rspace", "0em"), new string('′', primes));
        return above is null ? signs : new XElement("mrow", signs, above);
    }

    private static TexAtom WithScripts(TexAtom nucleus, XElement? below, XElement? above)
    {
        string? name = (below, above, nucleus.Limits) switch
        {
            (null, null, _) => null,
            (not null, null, false) => "msub",
            (null, not null, false) => "msup",
            (not null, not null, false) => "msubsup",
            (not null, null, true) => "munder",
            (null, not null, true) => "mover",
            (not null, not null, true) => "munderover",
        };
        return name is null ? nucleus : nucleus with { Element = new XElement(name, nucleus.Element, below, above) };
    }

    private XElement ParseScript()
    {
        _scripts++;
        XElement script = ParseArgument("A script");
        _scripts--;
        return script;
    }

    /// <summary>One argument: a braced group, or else a single sign or command.</summary>
    private XElement ParseArgument(string owner)
    {
        TexToken token = _lexer.ReadOne();
        if (EndsRow(token) || token.Kind is TexTokenKind.Superscript or TexTokenKind.Subscript)
        {
            throw new TexException($"{owner} needs an argument, as in {{...}}, but got {token.Source}.", token.Position);
        }

        return ParseNucleus(token) is TexAtom atom
            ? Finish([atom])
            : throw new TexException($"{owner} needs an argument, but {token.Source} sets nothing.", token.Position);
    }

    private TexAtom? ParseNucleus(TexToken token)
    {
        GoDeeper();
        TexAtom? atom = token.Kind switch
        {
            TexTokenKind.Open => TexAtom.Ordinary(ParseGroup(token)),
            TexTokenKind.Command => ParseCommand(token),
            TexTokenKind.Character => ParseCharacter(token.Text),
            _ => throw Unexpected(token),
        };
        _depth--;
        return atom;
    }

    private void GoDeeper()
    {
        if (++_depth > MaxDepth)
        {
            throw new TexException(string.Create(CultureInfo.InvariantCulture, $"The formula is nested more than {MaxDepth} deep."), _lexer.Peek().Position);
        }
    }

    private XElement ParseGroup(TexToken open)
    {
        XElement row = Finish(ParseRow());
        TexToken close = _lexer.Read();
        return close.Kind switch
        {
            TexTokenKind.Close => row,
            TexTokenKind.End => throw new TexException("A brace { is never closed.", open.Position),
            _ => throw Unexpected(close),
        };
    }

    private TexAtom ParseCharacter(string text) => text switch
    {
        "+" => TexAtom.Operator("+", AtomClass.Binary),
        "-" => TexAtom.Operator("−", AtomClass.Binary),
        "*" => TexAtom.Operator("∗", AtomClass.Binary),
        "=" or "<" or ">" or ":" => TexAtom.Operator(text, AtomClass.Relation),
        "," or ";" => TexAtom.Operator(text, AtomClass.Punctuation),
        "(" or "[" => Fence(text, AtomClass.Open),
        ")" or "]" => Fence(text, AtomClass.Close),
        "|" => Fence(text, AtomClass.Ordinary),
        "/" or "!" or "?" or "." or "@" => TexAtom.Operator(text, AtomClass.Ordinary),
        "~" => Space("0.3333em"),
        _ when char.IsAsciiDigit(text[0]) => TexAtom.Ordinary(new XElement("mn", TexAlphabets.Map(text, _alphabet))),
        _ => Letter(text),
    };

    private TexAtom Letter(string text)
    {
        string mapped = TexAlphabets.Map(text, _alphabet);
        // A single letter in mi is italic unless told otherwise.
        XAttribute? upright = _alphabet == TexAlphabet.Upright ? new XAttribute("mathvariant", "normal") : null;
        return TexAtom.Ordinary(new XElement("mi", upright, mapped));
    }

    private static TexAtom Fence(string text, AtomClass @class) => TexAtom.Operator(text, @class, attributes: new XAttribute("stretchy", "false"));

    private static TexAtom Space(string width) => new(new XElement("mspace", new XAttribute("width", width)), Class: null);

    private TexAtom? ParseCommand(TexToken command)
    {
        string name = command.Text;
        if (TexSymbols.Signs.TryGetValue(name, out (string Text, AtomClass Class) sign))
        {
            return Sign(sign.Text, sign.Class);
        }

        if (TexSymbols.Spaces.TryGetValue(name, out string? width))
        {
            return Space(width);
        }

        if (TexSymbols.LargeOperators.TryGetValue(name, out string? large))
        {
            return TexAtom.Operator(large, AtomClass.Operator, limits: !name.EndsWith("int", StringComparison.Ordinal));
        }

        if (TexSymbols.LimitFunctions.TryGetValue(name, out string? limited))
        {
            return Function(limited, limits: true);
        }

        if (TexSymbols.Functions.TryGetValue(name, out string? function))
        {
            return Function(function, limits: false);
        }

        if (TexSymbols.Accents.TryGetValue(name, out string? accent))
        {
            return Accent(command, accent, stretchy: false, above: true);
        }

        if (TexSymbols.WideAccents.TryGetValue(name, out (string Text, bool Above) wide))
        {
            TexAtom accented = Accent(command, wide.Text, stretchy: true, wide.Above);
            return accented with { Limits = name is "overbrace" or "underbrace" };
        }

        return TexAlphabets.Commands.TryGetValue(name, out TexAlphabet alphabet) ? Styled(command, alphabet) : ParseStructure(command);
    }

    private TexAtom? ParseStructure(TexToken command)
    {
        switch (command.Text)
        {
            case "frac":
                return TexAtom.Ordinary(Fraction(command));
            case "dfrac" or "cfrac":
                return TexAtom.Ordinary(new XElement("mstyle", new XAttribute("displaystyle", "true"), Fraction(command)));
            case "tfrac":
                return TexAtom.Ordinary(new XElement("mstyle", new XAttribute("displaystyle", "false"), Fraction(command)));
            case "overline":
                return Ruled(command, "border-top:0.07em solid;padding-top:0.13em");
            case "underline":
                return Ruled(command, "border-bottom:0.07em solid;padding-bottom:0.13em");
            case "binom":
                XElement pair = Fraction(command);
                pair.SetAttributeValue("linethickness", "0");
                return TexAtom.Ordinary(new XElement("mrow", StretchyFence("("), pair, StretchyFence(")")));
            case "sqrt":
                return Root(command);
            case "left":
                return Delimited(command);
            case "middle":
                return TexAtom.Operator(ReadDelimiter(command), AtomClass.Relation, attributes: new XAttribute("stretchy", "true"));
            case "begin":
                return TexAtom.Ordinary(ParseEnvironment(command));
            case "text" or "textrm" or "textnormal" or "mbox" or "textbf" or "textit" or "texttt":
                return TexAtom.Ordinary(Text(command));
            case "operatorname" or "operatorname*":
                return Function(_lexer.ReadRawGroup(command.Text).Replace("\\,", " ", StringComparison.Ordinal), limits: command.Text[^1] == '*');
            case "overset" or "stackrel":
                return Stacked("mover", command);
            case "underset":
                return Stacked("munder", command);
            case "substack":
                return TexAtom.Ordinary(Substack(command));
            case "not":
                return Negated(command);
            case "hspace" or "hspace*":
                return Space(_lexer.ReadRawGroup(command.Text).Trim());
            case "phantom":
                return TexAtom.Ordinary(new XElement("mphantom", Argument(command)));
            case "boxed":
                return TexAtom.Ordinary(new XElement("mrow", new XAttribute("style", "border:1px solid;padding:0.3em 0.5em"), Argument(command)));
            case "mathbin":
                return new TexAtom(Argument(command), AtomClass.Binary);
            case "mathrel":
                return new TexAtom(Argument(command), AtomClass.Relation);
            case "mathop":
                return new TexAtom(Argument(command), AtomClass.Operator, Limits: true);
            case "mathord" or "mathinner":
                return TexAtom.Ordinary(Argument(command));
            case "pmod":
                return TexAtom.Ordinary(new XElement("mrow", new XElement("mspace", new XAttribute("width", "0.5em")),
                    new XElement("mtext", "(mod\u00a0"), Argument(command), new XElement("mtext", ")")));
            case "tag":
                return TexAtom.Ordinary(new XElement("mrow", new XElement("mspace", new XAttribute("width", "2em")),
                    new XElement("mtext", $"({_lexer.ReadRawGroup(command.Text)})")));
            case "notag" or "nonumber":
                return null;
            default:
                return SizedDelimiter(command)
                    ?? throw new TexException(
                        $"Unknown TeX command {command.Source}: check its spelling; a function's name goes in \\operatorname{{...}}, words go in \\text{{...}}.",
                        command.Position);
        }
    }

    private XElement Argument(TexToken command) => ParseArgument(command.Source);

    private TexAtom Sign(string text, AtomClass @class)
    {
        if (@class is AtomClass.Open or AtomClass.Close || text is "|" or "‖")
        {
            return Fence(text, @class);
        }

        if (@class != AtomClass.Ordinary)
        {
            return TexAtom.Operator(text, @class);
        }

        // Lower-case Greek is italic like any variable; capitals and signs are upright.
        bool isVariable = text[0] is >= 'α' and <= 'ω' or 'ϵ' or 'ϑ' or 'ϖ' or 'ϱ' or 'ϕ' or 'ı' or 'ȷ' or 'ℓ';
        XAttribute? upright = isVariable && _alphabet != TexAlphabet.Upright ? null : new XAttribute("mathvariant", "normal");
        return TexAtom.Ordinary(new XElement("mi", upright, TexAlphabets.Map(text, _alphabet)));
    }

    private static TexAtom Function(string name, bool limits)
    {
        XAttribute form = new("form", "prefix");
        string shown = name.Replace(' ', '\u2009');
        return limits
            ? TexAtom.Operator(shown, AtomClass.Operator, limits: true, form, new XAttribute("movablelimits", "true"))
            : TexAtom.Operator(shown, AtomClass.Operator, limits: false, form);
    }

    private TexAtom Accent(TexToken command, string sign, bool stretchy, bool above)
    {
        XElement covered = Argument(command);
        var mark = new XElement("mo", new XAttribute("stretchy", stretchy ? "true" : "false"), sign);
        return TexAtom.Ordinary(above
            ? new XElement("mover", new XAttribute("accent", "true"), covered, mark)
            : new XElement("munder", new XAttribute("accentunder", "true"), covered, mark));
    }

    // A drawn rule is as wide as its content in any font; a stretchy sign is so only where the font has the parts.
    private TexAtom Ruled(TexToken command, string style) =>
        TexAtom.Ordinary(new XElement("mrow", new XAttribute("style", style), Argument(command)));

    private TexAtom Styled(TexToken command, TexAlphabet alphabet)
    {
        TexAlphabet outer = _alphabet;
        _alphabet = alphabet;
        XElement content = Argument(command);
        _alphabet = outer;
        return TexAtom.Ordinary(alphabet is TexAlphabet.Upright ? AsWord(content) : content);
    }

    // \mathrm{TPR} is one word, not three variables side by side.
    private static XElement AsWord(XElement content)
    {
        XElement[] letters = [.. content.Elements()];
        bool isWord = content.Name == "mrow" && letters.Length > 1
            && letters.All(letter => letter.Name == "mn" || (letter.Name == "mi" && letter.Value.All(char.IsAsciiLetter)));
        return isWord ? new XElement("mi", string.Concat(letters.Select(letter => letter.Value))) : content;
    }

    private XElement Fraction(TexToken command)
    {
        XElement above = Argument(command);
        return new XElement("mfrac", above, Argument(command));
    }

    private TexAtom Root(TexToken command)
    {
        string? degree = _lexer.ReadRawBrackets();
        XElement radicand = Argument(command);
        return TexAtom.Ordinary(degree is null
            ? new XElement("msqrt", radicand)
            : new XElement("mroot", radicand, new TexParser(degree).ParseFormula()));
    }

    private TexAtom Delimited(TexToken left)
    {
        string open = ReadDelimiter(left);
        XElement content = Finish(ParseRow());
        TexToken right = _lexer.Read();
        if (!right.IsCommand("right"))
        {
            throw new TexException($"A \\left needs its \\right before {right.Source}.", left.Position);
        }

        // The content stands in the same row as its fences, so that a \middle stretches as they do.
        object inner = content.Name == "mrow" ? content.Elements() : content;
        return TexAtom.Ordinary(new XElement("mrow", StretchyFence(open), inner, StretchyFence(ReadDelimiter(right))));
    }

    private static XElement? StretchyFence(string delimiter) => delimiter.Length == 0
        ? null
        : new XElement("mo", new XAttribute("stretchy", "true"), new XAttribute("lspace", "0em"), new XAttribute("rspace", "0em"), delimiter);

    /// <summary>The delimiter that follows a command; empty for the dot, which stands for none.</summary>
    private string ReadDelimiter(TexToken command)
    {
        TexToken token = _lexer.ReadOne();
        return token switch
        {
            { Kind: TexTokenKind.Character, Text: "." } => "",
            { Kind: TexTokenKind.Character, Text: "(" or ")" or "[" or "]" or "|" or "/" } => token.Text,
            { Kind: TexTokenKind.Character, Text: "<" } => "⟨",
            { Kind: TexTokenKind.Character, Text: ">" } => "⟩",
            { Kind: TexTokenKind.Command } when TexSymbols.Delimiters.TryGetValue(token.Text, out string? sign) => sign,
            _ => throw new TexException($"{command.Source} needs a delimiter, such as ( or \\lvert, but got {token.Source}.", token.Position),
        };
    }

    // \big, \Bigl, \biggr, ...: a delimiter of a given size.
    private TexAtom? SizedDelimiter(TexToken command)
    {
        string name = command.Text;
        (AtomClass @class, string stem) = name[^1] switch
        {
            'l' => (AtomClass.Open, name[..^1]),
            'r' => (AtomClass.Close, name[..^1]),
            'm' => (AtomClass.Relation, name[..^1]),
            _ => (AtomClass.Ordinary, name),
        };
        string? size = stem switch { "big" => "1.2em", "Big" => "1.8em", "bigg" => "2.4em", "Bigg" => "3em", _ => null };
        return size is null
            ? null
            : TexAtom.Operator(ReadDelimiter(command), @class, limits: false,
                new XAttribute("stretchy", "true"), new XAttribute("symmetric", "true"), new XAttribute("minsize", size), new XAttribute("maxsize", size));
    }

    /// <summary>Words set upright with their spaces, and any formulas between dollar signs among them.</summary>
    private XElement Text(TexToken command)
    {
        string raw = _lexer.ReadRawGroup(command.Text);
        string[] parts = raw.Split('$');
        if (parts.Length % 2 == 0)
        {
            throw new TexException($"A $ inside {command.Source}{{...}} is never closed.", command.Position);
        }

        string? style = command.Text switch
        {
            "textbf" => "font-weight:bold",
            "textit" => "font-style:italic",
            "texttt" => "font-family:monospace",
            _ => null,
        };
        XElement[] elements = [.. parts.Select((part, i) => i % 2 == 1 ? new TexParser(part).ParseFormula() : Words(part)).OfType<XElement>()];
        return elements.Length == 1 ? elements[0] : new XElement("mrow", elements);

        XElement? Words(string words) => words.Length == 0
            ? null
            : new XElement("mtext", style is null ? null : new XAttribute("style", style), Unescape(words).Replace(' ', '\u00a0'));
    }

    private static string Unescape(string words)
    {
        foreach (string sign in (string[])["%", "_", "&", "#", "{", "}"])
        {
            words = words.Replace("\\" + sign, sign, StringComparison.Ordinal);
        }

        return words;
    }

    private TexAtom Stacked(string element, TexToken command)
    {
        XElement mark = ParseScript();
        TexToken token = _lexer.ReadOne();
        TexAtom? nucleus = EndsRow(token) ? throw Unexpected(token) : ParseNucleus(token);
        return nucleus is null
            ? throw new TexException($"{command.Source} needs something to put its mark on.", token.Position)
            : nucleus with { Element = new XElement(element, nucleus.Element, mark) };
    }

    private XElement Substack(TexToken command)
    {
        TexToken open = _lexer.Read();
        if (open.Kind != TexTokenKind.Open)
        {
            throw new TexException($"{command.Source} needs its lines in braces.", open.Position);
        }

        var table = new XElement("mtable");
        while (true)
        {
            table.Add(new XElement("mtr", new XElement("mtd", new XAttribute("style", "padding:0"), Finish(ParseRow()))));
            TexToken token = _lexer.Read();
            if (token.Kind == TexTokenKind.Close)
            {
                return table;
            }

            if (!token.IsCommand("\\"))
            {
                throw token.Kind == TexTokenKind.End ? new TexException("The brace of \\substack is never closed.", open.Position) : Unexpected(token);
            }
        }
    }

    private TexAtom Negated(TexToken command)
    {
        TexToken token = _lexer.ReadOne();
        TexAtom? atom = EndsRow(token) ? null : ParseNucleus(token);
        if (atom?.Core is null)
        {
            throw new TexException($"\\not needs a relation to strike out, such as \\not=, but got {token.Source}.", command.Position);
        }

        // A combining long solidus overlay.
        atom.Core.Value = (atom.Core.Value + '\u0338').Normalize();
        return atom;
    }

    private XElement ParseEnvironment(TexToken begin)
    {
        string name = _lexer.ReadRawGroup("begin");
        TexEnvironment environment = TexEnvironment.Find(name)
            ?? throw new TexException($"Unknown environment {name}: there are {TexEnvironment.Names}.", begin.Position);
        string columns = environment.TakesColumns ? _lexer.ReadRawGroup("begin{" + name + "}") : "";

        var rows = new List<List<XElement>>();
        var row = new List<XElement>();
        while (true)
        {
            row.Add(Finish(ParseRow()));
            TexToken token = _lexer.Read();
            if (token.Kind == TexTokenKind.Ampersand)
            {
                continue;
            }

            // The line break after the last row starts no further one.
            bool isEmpty = row.Count == 1 && row[0].Name == "mrow" && !row[0].HasElements;
            if (!isEmpty || token.IsCommand("\\"))
            {
                rows.Add(row);
            }

            row = [];
            if (token.IsCommand("end"))
            {
                string closed = _lexer.ReadRawGroup("end");
                return closed == name
                    ? environment.ToElement(rows, columns)
                    : throw new TexException($"\\begin{{{name}}} is closed by \\end{{{closed}}}.", token.Position);
            }

            if (!token.IsCommand("\\") && !token.IsCommand("cr"))
            {
                throw token.Kind == TexTokenKind.End
                    ? new TexException($"\\begin{{{name}}} has no \\end{{{name}}}.", begin.Position)
                    : Unexpected(token);
            }

            _lexer.ReadRawBrackets();
        }
    }
}
