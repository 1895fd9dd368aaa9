using System.Text.Json;
using System.Text.Json.Serialization;
using ClipOod.Runner.Documents;

namespace ClipOod.Runner.Kernel;

/// <summary>What the parent writes, as one line of JSON, to the standard input of a worker.</summary>
/// <param name="NotebookPath">Full path of the notebook.</param>
/// <param name="Cells">Its cells.</param>
/// <param name="Parameters">Parameters given by the user.</param>
/// <param name="PipeName">The named pipe that events go to.</param>
internal sealed record WorkerJob(
    string NotebookPath, IReadOnlyList<DibCell> Cells, IReadOnlyDictionary<string, string> Parameters, string PipeName);

/// <summary>What a worker tells its parent, one line of JSON each.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "event")]
[JsonDerivedType(typeof(CellStarted), "cell-started")]
[JsonDerivedType(typeof(CellEnded), "cell-ended")]
[JsonDerivedType(typeof(TextWritten), "text")]
[JsonDerivedType(typeof(ValueDisplayed), "display")]
[JsonDerivedType(typeof(ResultDeclared), "result")]
[JsonDerivedType(typeof(ParameterAsked), "parameter")]
[JsonDerivedType(typeof(ParameterDeclared), "parameter-declared")]
internal abstract record WorkerEvent;

internal sealed record CellStarted(int Number) : WorkerEvent;

internal sealed record CellEnded(double Seconds, CellError? Error) : WorkerEvent;

internal sealed record TextWritten(bool IsError, string Text) : WorkerEvent;

internal sealed record ValueDisplayed(
    string DisplayId, IReadOnlyDictionary<string, string> Mime, bool IsResult, bool IsUpdate) : WorkerEvent;

internal sealed record ResultDeclared(DeclaredResult Result) : WorkerEvent;

internal sealed record ParameterAsked(string Name) : WorkerEvent;

internal sealed record ParameterDeclared(DeclaredParameter Parameter) : WorkerEvent;

/// <summary>Generated serialisers: reflection would cost each worker a noticeable part of its start.</summary>
[JsonSourceGenerationOptions(NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(WorkerJob))]
[JsonSerializable(typeof(WorkerEvent))]
internal sealed partial class WorkerJson : JsonSerializerContext;

internal static class WorkerProtocol
{
    /// <summary>What the parent writes, as a line of its own, to stop the running cell.</summary>
    public const string Cancel = "cancel";

    /// <summary>
    /// Written to both raw standard streams at the end of each cell, so that the parent knows that it has read all that
    /// native code wrote during the cell.
    /// </summary>
    public const string EndOfCell = "\u0001end-of-cell\n";

    public static string Serialize(WorkerEvent message) => JsonSerializer.Serialize(message, WorkerJson.Default.WorkerEvent);

    public static WorkerEvent? Deserialize(string line) => JsonSerializer.Deserialize(line, WorkerJson.Default.WorkerEvent);
}
