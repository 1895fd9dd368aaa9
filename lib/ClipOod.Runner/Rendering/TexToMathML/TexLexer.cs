namespace ClipOod.Runner.Rendering;

internal enum TexTokenKind { Character, Command, Open, Close, Superscript, Subscript, Ampersand, End }

/// <summary>One token of a formula. <c>Text</c> is the character(s) or the command's name without its backslash.</summary>
internal readonly record struct TexToken(TexTokenKind Kind, string Text, int Position)
{
    public bool IsCommand(string name) => Kind == TexTokenKind.Command && Text == name;

    public bool IsCharacter(string text) => Kind == TexTokenKind.Character && Text == text;

    /// <summary>The token as its author wrote it, for messages.</summary>
    public string Source => Kind switch
    {
        TexTokenKind.Command => "\\" + Text,
        TexTokenKind.End => "the end of the formula",
        _ => Text,
    };
}

/// <summary>Cuts a formula into tokens. Space between tokens means nothing in TeX, except inside <c>\text</c>, which reads raw.</summary>
internal sealed class TexLexer(string source)
{
    private int _next;
    private TexToken? _peeked;

    public TexToken Peek() => _peeked ??= Scan();

    public TexToken Read()
    {
        TexToken token = Peek();
        _peeked = null;
        return token;
    }

    /// <summary>The next token, and of a number only its first digit: <c>\frac12</c> is one half, as in TeX.</summary>
    public TexToken ReadOne()
    {
        TexToken token = Read();
        if (token.Kind != TexTokenKind.Character || token.Text.Length == 1 || !char.IsAsciiDigit(token.Text[0]))
        {
            return token;
        }

        _next = token.Position + 1;
        return token with { Text = token.Text[..1] };
    }

    /// <summary>The raw text of the braced group that follows, with its spaces; the braces inside it must balance.</summary>
    public string ReadRawGroup(string command)
    {
        TexToken open = Read();
        if (open.Kind != TexTokenKind.Open)
        {
            throw new TexException($"\\{command} needs its text in braces, as in \\{command}{{...}}, but got {open.Source}.", open.Position);
        }

        int start = _next;
        int depth = 1;
        for (; _next < source.Length; _next++)
        {
            char c = source[_next];
            if (c == '\\')
            {
                _next++;
            }
            else if (c == '{')
            {
                depth++;
            }
            else if (c == '}' && --depth == 0)
            {
                return source[start.._next++];
            }
        }

        throw new TexException($"The brace opened after \\{command} is never closed.", open.Position);
    }

    /// <summary>The text of an optional argument in brackets, or null when none follows.</summary>
    public string? ReadRawBrackets()
    {
        TexToken open = Peek();
        if (!open.IsCharacter("["))
        {
            return null;
        }

        int close = source.IndexOf(']', open.Position);
        if (close < 0)
        {
            throw new TexException("The bracket [ of an optional argument is never closed.", open.Position);
        }

        _peeked = null;
        _next = close + 1;
        return source[(open.Position + 1)..close];
    }

    private TexToken Scan()
    {
        SkipSpaceAndComments();
        if (_next >= source.Length)
        {
            return new TexToken(TexTokenKind.End, "", source.Length);
        }

        int start = _next;
        char c = source[_next];
        switch (c)
        {
            case '\\':
                return ScanCommand();
            case '{':
                return One(TexTokenKind.Open);
            case '}':
                return One(TexTokenKind.Close);
            case '^':
                return One(TexTokenKind.Superscript);
            case '_':
                return One(TexTokenKind.Subscript);
            case '&':
                return One(TexTokenKind.Ampersand);
            case >= '0' and <= '9':
                return ScanNumber();
            default:
                _next += char.IsHighSurrogate(c) && start + 1 < source.Length ? 2 : 1;
                return new TexToken(TexTokenKind.Character, source[start.._next], start);
        }

        TexToken One(TexTokenKind kind) => new(kind, source[_next++].ToString(), start);
    }

    private TexToken ScanCommand()
    {
        int start = _next++;
        if (_next >= source.Length)
        {
            throw new TexException("The formula ends in a lone backslash.", start);
        }

        int end = _next;
        while (end < source.Length && char.IsAsciiLetter(source[end]))
        {
            end++;
        }

        end = Math.Max(end, _next + 1);
        // \operatorname* and its like: the star belongs to the name.
        if (end < source.Length && source[end] == '*' && source[_next..end] is "operatorname" or "hspace")
        {
            end++;
        }

        string name = source[_next..end];
        _next = end;
        return new TexToken(TexTokenKind.Command, name, start);
    }

    private TexToken ScanNumber()
    {
        int start = _next;
        while (_next < source.Length && (char.IsAsciiDigit(source[_next]) || IsDecimalPoint()))
        {
            _next++;
        }

        return new TexToken(TexTokenKind.Character, source[start.._next], start);

        bool IsDecimalPoint() => source[_next] == '.' && _next + 1 < source.Length && char.IsAsciiDigit(source[_next + 1]);
    }

    private void SkipSpaceAndComments()
    {
        while (_next < source.Length && (char.IsWhiteSpace(source[_next]) || source[_next] == '%'))
        {
            if (source[_next] == '%')
            {
                int end = source.IndexOf('\n', _next);
                _next = end < 0 ? source.Length : end;
            }
            else
            {
                _next++;
            }
        }
    }
}
