using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipOod.Runner.Kernel;

/// <summary>
/// A result as a notebook declares it and as a file records it. Its JSON tells by its fields what it is: a number has a name, a metric
/// a detector, a verdict a verdict.
/// </summary>
/// <param name="Tolerance">Largest absolute difference from the recorded value that still matches.</param>
[JsonConverter(typeof(DeclaredResultConverter))]
internal abstract record DeclaredResult([property: JsonPropertyOrder(1)] double Tolerance)
{
    /// <summary>What it is, once per notebook.</summary>
    [JsonIgnore]
    public abstract string Key { get; }

    /// <summary>What it says, for readers.</summary>
    /// <param name="format">Format of a number, such as G6.</param>
    public abstract string Show(string format);

    /// <summary>Whether this result matches the recorded one, within this one's tolerance.</summary>
    public abstract bool Matches(DeclaredResult recorded);

    /// <summary>How the value of another world compares, in few words.</summary>
    /// <param name="there">The recorded result of the other world.</param>
    public string Beside(DeclaredResult there)
    {
        string sign = HasOtherSignThan(there) ? "other sign" : "";
        if ((this, there) is (VerdictResult verdict, VerdictResult other))
        {
            string word = verdict.Word == other.Word ? "same verdict" : verdict.IsTold && other.IsTold ? "verdict differs" : "told in one world";
            return sign.Length == 0 ? word : $"{word}, {sign}";
        }

        return GetType() != there.GetType() || Measured is not double a || there.Measured is not double b ? "not comparable"
            : Math.Abs(a - b) <= Math.Max(Tolerance, there.Tolerance) ? "same within the tolerance"
            : sign.Length > 0 ? sign
            : string.Create(CultureInfo.InvariantCulture, $"differs by {b - a:+0.####;−0.####;0}");
    }

    /// <summary>Whether both differ from 0 by more than their tolerances, to different sides.</summary>
    /// <param name="there">The recorded result of the other world.</param>
    public bool HasOtherSignThan(DeclaredResult there) =>
        Measured is double a && there.Measured is double b && Math.Abs(a) > Tolerance && Math.Abs(b) > there.Tolerance && a > 0 != b > 0;

    /// <summary>Its number; null where nothing could be measured.</summary>
    [JsonIgnore]
    protected abstract double? Measured { get; }

    /// <summary>Reads a result.</summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="JsonException">It is not a result.</exception>
    public static DeclaredResult Parse(string json) =>
        JsonSerializer.Deserialize(json, ResultJson.Default.DeclaredResult) ?? throw new JsonException("A result is null.");

    // Written so that NaN matches NaN and an infinity itself, of which no difference can be taken.
    protected bool Close(double? value, double? recorded) =>
        value.Equals(recorded) || (value is double a && recorded is double b && Math.Abs(a - b) <= Tolerance);
}

/// <summary>A number that is no metric of a detector.</summary>
internal sealed record NumberResult(string Name, double Value, double Tolerance) : DeclaredResult(Tolerance)
{
    [JsonIgnore]
    public override string Key => Name;

    protected override double? Measured => Value;

    public override string Show(string format) => Value.ToString(format, CultureInfo.InvariantCulture);

    public override bool Matches(DeclaredResult recorded) => recorded is NumberResult other && Close(Value, other.Value);
}

/// <summary>A metric of a detector on a pair of sets; without the second set, of the first alone.</summary>
internal sealed record MetricResult(
    string Detector,
    string Id,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Ood,
    string Metric,
    int Seed,
    double Value,
    double Tolerance) : DeclaredResult(Tolerance)
{
    [JsonIgnore]
    public override string Key => string.Create(CultureInfo.InvariantCulture, $"{Detector} · {Sets} · {Metric} · seed {Seed}");

    /// <summary>The sets that it compares.</summary>
    [JsonIgnore]
    public string Sets => Ood is null ? Id : $"{Id} → {Ood}";

    protected override double? Measured => Value;

    /// <summary>Whether two values differ by more than both tolerances.</summary>
    /// <param name="other">Another detector's value of the same metric on the same sets.</param>
    public bool IsApartFrom(MetricResult other) => Math.Abs(Value - other.Value) > Tolerance + other.Tolerance;

    public override string Show(string format) => Value.ToString(format, CultureInfo.InvariantCulture);

    public override bool Matches(DeclaredResult recorded) => recorded is MetricResult other && Close(Value, other.Value);
}

/// <summary>What the evidence says of a claim; without evidence where nothing can be told, without a source where the claim is in no print.</summary>
internal sealed record VerdictResult(
    string Verdict,
    string Word,
    double Tolerance,
    double? Estimate = null,
    double? Low = null,
    double? High = null,
    int? N = null,
    double? Margin = null,
    string? Source = null) : DeclaredResult(Tolerance)
{
    [JsonIgnore]
    public override string Key => Verdict;

    /// <summary>Whether the word says anything of the claim.</summary>
    [JsonIgnore]
    public bool IsTold => !Word.StartsWith("cannot be told", StringComparison.Ordinal);

    protected override double? Measured => Estimate;

    public override string Show(string format) => Estimate is not double estimate
        ? Word
        : string.Create(CultureInfo.InvariantCulture, $"{Word}: {estimate.ToString(format, CultureInfo.InvariantCulture)} [{Low:F4}, {High:F4}], n = {N:N0}");

    // The bounds follow from the estimate and the images; they are recorded to be read.
    public override bool Matches(DeclaredResult recorded) =>
        recorded is VerdictResult other && Word == other.Word && Source == other.Source && N == other.N && Close(Margin, other.Margin) && Close(Estimate, other.Estimate);
}

internal sealed class DeclaredResultConverter : JsonConverter<DeclaredResult>
{
    public override DeclaredResult? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        JsonElement result = document.RootElement;
        return result.ValueKind != JsonValueKind.Object ? throw new JsonException("A result is not an object.")
            : result.TryGetProperty("verdict", out _) ? result.Deserialize(ResultJson.Default.VerdictResult)
            : result.TryGetProperty("detector", out _) ? result.Deserialize(ResultJson.Default.MetricResult)
            : result.Deserialize(ResultJson.Default.NumberResult);
    }

    public override void Write(Utf8JsonWriter writer, DeclaredResult value, JsonSerializerOptions options)
    {
        switch (value)
        {
            case NumberResult number:
                JsonSerializer.Serialize(writer, number, ResultJson.Default.NumberResult);
                break;
            case MetricResult metric:
                JsonSerializer.Serialize(writer, metric, ResultJson.Default.MetricResult);
                break;
            case VerdictResult verdict:
                JsonSerializer.Serialize(writer, verdict, ResultJson.Default.VerdictResult);
                break;
            default:
                throw new JsonException($"No form is known for {value.GetType()}.");
        }
    }
}

/// <summary>Generated serialisers: reflection would cost each worker a noticeable part of its start.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DeclaredResult))]
[JsonSerializable(typeof(NumberResult))]
[JsonSerializable(typeof(MetricResult))]
[JsonSerializable(typeof(VerdictResult))]
internal sealed partial class ResultJson : JsonSerializerContext;
