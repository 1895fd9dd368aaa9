using System.Globalization;

namespace ClipOod.Autodiff;

/// <summary>
/// One dimension of a <see cref="Shape"/>: a number where it is fixed, or a product of a number and symbols, such as
/// "batch" or "50*batch", where it varies between runs. Numbers and symbols convert implicitly.
/// </summary>
public readonly record struct Dimension
{
    private readonly long _factor;

    // Sorted and joined by "*"; null where the dimension is fixed.
    private readonly string? _symbols;

    private Dimension(long factor, string? symbols) => (_factor, _symbols) = (factor, symbols);

    /// <summary>Whether the dimension is a number.</summary>
    public bool IsFixed => _symbols is null;

    /// <summary>The number of a fixed dimension.</summary>
    /// <exception cref="InvalidOperationException">The dimension varies between runs.</exception>
    public long Size => IsFixed ? _factor : throw new InvalidOperationException($"Dimension {this} has no fixed size: it varies between runs.");

    /// <summary>The symbols, sorted; none where the dimension is fixed.</summary>
    internal string[] Symbols => _symbols?.Split('*') ?? [];

    internal long Factor => _factor;

    /// <summary>A fixed dimension.</summary>
    public static implicit operator Dimension(int size) => new(size, null);

    /// <summary>A fixed dimension.</summary>
    public static implicit operator Dimension(long size) => new(size, null);

    /// <summary>A dimension that varies between runs, named by letters, digits and underscores.</summary>
    public static implicit operator Dimension(string symbol) => FromString(symbol);

    /// <summary>A fixed dimension.</summary>
    public static Dimension FromInt64(long size) => new(size, null);

    /// <summary>A dimension that varies between runs, named by letters, digits and underscores.</summary>
    public static Dimension FromString(string symbol)
    {
        if (string.IsNullOrEmpty(symbol) || !symbol.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') || char.IsAsciiDigit(symbol[0]))
        {
            throw new ArgumentException($"A dimension's symbol is a name of letters, digits and underscores such as \"batch\", not \"{symbol}\".", nameof(symbol));
        }

        return new Dimension(1, symbol);
    }

    /// <summary>The number of elements that two dimensions span together.</summary>
    public static Dimension operator *(Dimension left, Dimension right) => Multiply(left, right);

    /// <summary>The number of elements that two dimensions span together.</summary>
    public static Dimension Multiply(Dimension left, Dimension right) =>
        Of(checked(left._factor * right._factor), left.Symbols.Concat(right.Symbols));

    /// <inheritdoc/>
    public override string ToString() =>
        _symbols is null ? _factor.ToString(CultureInfo.InvariantCulture)
        : _factor == 1 ? _symbols
        : string.Create(CultureInfo.InvariantCulture, $"{_factor}*{_symbols}");

    /// <summary>The dimension that times <paramref name="divisor"/> gives this one; null where there is none.</summary>
    internal Dimension? Divide(Dimension divisor)
    {
        List<string> rest = [.. Symbols];
        return divisor._factor != 0 && _factor % divisor._factor == 0 && divisor.Symbols.All(rest.Remove)
            ? Of(_factor / divisor._factor, rest)
            : default(Dimension?);
    }

    private static Dimension Of(long factor, IEnumerable<string> symbols)
    {
        string joined = string.Join('*', symbols.Order(StringComparer.Ordinal));
        return new Dimension(factor, joined.Length == 0 ? null : joined);
    }
}
