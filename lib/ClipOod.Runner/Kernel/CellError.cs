namespace ClipOod.Runner.Kernel;

/// <summary>Why a cell failed.</summary>
/// <param name="Type">Name of the exception, or <c>CompilationError</c>.</param>
/// <param name="Message">What went wrong, one or more lines.</param>
/// <param name="Line">1-based line in the cell; null where it is not known.</param>
/// <param name="Details">Trimmed stack or list of diagnostics; may be empty.</param>
internal sealed record CellError(string Type, string Message, int? Line, string Details);
