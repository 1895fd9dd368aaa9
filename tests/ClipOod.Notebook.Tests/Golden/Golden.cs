using System.Text.Json;

namespace ClipOod.Notebook.Tests;

/// <summary>
/// The golden values of the methods specification. GOLDEN.json lies beside this file so that the tests run anywhere;
/// where CLIPOOD_SPEC names the folder of the specification, a test checks that the copy is still the same.
/// </summary>
public sealed class Golden
{
    /// <summary>Tolerance of the specification for double-precision code, relative above 1.</summary>
    public const double ToleranceOfDoubles = 1e-9;

    /// <summary>Relative tolerance of the specification for single-precision code.</summary>
    public const double ToleranceOfSingles = 1e-5;

    private static readonly Lazy<JsonDocument> _document =
        new(() => JsonDocument.Parse(File.ReadAllBytes(FilePath)));

    private readonly JsonElement _element;

    private Golden(JsonElement element) => _element = element;

    public static string FilePath => System.IO.Path.Combine(AppContext.BaseDirectory, "Golden", "GOLDEN.json");

    /// <summary>The sections, such as "scores".</summary>
    public static IEnumerable<string> Sections => new Golden(_document.Value.RootElement).Names;

    /// <summary>Follows a path such as Get("scores", "inputs", "cosine").</summary>
    public static Golden Get(params string[] path) => new Golden(_document.Value.RootElement)[path];

    public Golden this[params string[] path]
    {
        get
        {
            JsonElement element = _element;
            foreach (string name in path)
            {
                element = element.GetProperty(name);
            }

            return new Golden(element);
        }
    }

    public IEnumerable<string> Names => _element.EnumerateObject().Select(p => p.Name);

    public IEnumerable<Golden> Items => _element.EnumerateArray().Select(e => new Golden(e));

    public double Number => _element.GetDouble();

    public int WholeNumber => _element.GetInt32();

    public string Text => _element.GetString()!;

    public double[] Numbers => [.. _element.EnumerateArray().Select(e => e.GetDouble())];

    /// <summary>Whole numbers, also where written as 1.0.</summary>
    public int[] WholeNumbers => [.. _element.EnumerateArray().Select(e => (int)e.GetDouble())];

    public bool[] Flags => [.. _element.EnumerateArray().Select(e => e.GetBoolean())];

    public double[][] Rows => [.. Items.Select(e => e.Numbers)];

    public Matrix Matrix => Matrix.FromRows(Rows);

    public Embeddings Embeddings => Embeddings.FromRows(Rows);

    /// <summary>Asserts that every value lies within the tolerance, relative to the larger of 1 and |expected|.</summary>
    public static void AssertClose(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double tolerance)
    {
        Assert.Equal(expected.Count, actual.Count);
        for (int i = 0; i < expected.Count; i++)
        {
            AssertClose(expected[i], actual[i], tolerance, $" at {i}");
        }
    }

    /// <inheritdoc cref="AssertClose(IReadOnlyList{double}, IReadOnlyList{double}, double)"/>
    public static void AssertClose(double expected, double actual, double tolerance, string where = "")
    {
        bool close = expected.Equals(actual) || Math.Abs(expected - actual) <= tolerance * Math.Max(1, Math.Abs(expected));
        Assert.True(close, FormattableString.Invariant($"expected {expected:R}, got {actual:R}{where} (tolerance {tolerance:R})"));
    }
}

public sealed class GoldenTests
{
    [Fact]
    public void Copy_EqualsTheSpecification()
    {
        string? folder = Environment.GetEnvironmentVariable("CLIPOOD_SPEC");
        Assert.SkipUnless(folder is not null, "CLIPOOD_SPEC is unset: it names the folder that holds the specification's GOLDEN.json.");
        Assert.Equal(File.ReadAllText(System.IO.Path.Combine(folder!, "GOLDEN.json")), File.ReadAllText(Golden.FilePath));
    }
}
