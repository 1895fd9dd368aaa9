using System.Text.Json;
using System.Text.Json.Serialization;

namespace ClipOod.Runner.Kernel;

/// <summary>A parameter as a notebook declares it, before it asks for its value.</summary>
/// <param name="Name">The name, as in <c>--param name=value</c>.</param>
/// <param name="Default">The value where none is given, as text.</param>
/// <param name="Allowed">Which values work, in words, such as "a number from 1 to 50".</param>
/// <param name="Help">What it does, one line; may be empty.</param>
internal sealed record DeclaredParameter(string Name, string Default, string Allowed, string Help)
{
    /// <summary>Reads a parameter.</summary>
    /// <param name="json">A JSON object.</param>
    /// <exception cref="JsonException">It is no parameter.</exception>
    public static DeclaredParameter Parse(string json) =>
        JsonSerializer.Deserialize(json, ParameterJson.Default.DeclaredParameter) ?? throw new JsonException("A parameter is null.");
}

/// <summary>Generated serialiser: reflection would cost each worker a noticeable part of its start.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(DeclaredParameter))]
internal sealed partial class ParameterJson : JsonSerializerContext;
