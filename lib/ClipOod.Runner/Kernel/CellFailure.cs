using System.Diagnostics;
using ClipOod.Runner.Execution;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Scripting;

namespace ClipOod.Runner.Kernel;

/// <summary>What a reader is told about an exception: its message, the line in the cell, and only the frames that help.</summary>
internal static class CellFailure
{
    /// <param name="exception">What the cell threw.</param>
    /// <param name="cellName">What stack traces call the cell.</param>
    public static CellError Of(Exception exception, string cellName)
    {
        while (exception is AggregateException { InnerExceptions: [var single] })
        {
            exception = single;
        }

        return exception switch
        {
            CompilationErrorException compilation => OfCompilation(compilation),
            DirectiveException directive => new CellError("DirectiveError", directive.Message, directive.Line, ""),
            EngineException engine => new CellError("EngineError", engine.Message, null, ""),
            UnsupportedKernelException kernel => new CellError("UnsupportedKernel", kernel.Message, null, ""),
            _ => OfException(exception, cellName),
        };
    }

    private static CellError OfCompilation(CompilationErrorException exception)
    {
        Diagnostic[] errors = [.. exception.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error)];
        string[] lines = [.. errors.Select(d => d.Location.GetLineSpan().StartLinePosition is var at
            ? $"({at.Line + 1},{at.Character + 1}): error {d.Id}: {d.GetMessage(null)}" : "")];
        return new CellError(
            "CompilationError",
            $"{errors[0].Id}: {errors[0].GetMessage(null)}",
            errors[0].Location.GetLineSpan().StartLinePosition.Line + 1,
            string.Join('\n', lines));
    }

    private static CellError OfException(Exception exception, string cellName)
    {
        int? line = null;
        var details = new List<string>();
        for (Exception? current = exception; current is not null; current = current.InnerException)
        {
            if (current != exception)
            {
                details.Add($"caused by {current.GetType().Name}: {current.Message}");
            }

            foreach (StackFrame frame in new StackTrace(current, fNeedFileInfo: true).GetFrames())
            {
                if (FileOf(frame) == cellName)
                {
                    line ??= frame.GetFileLineNumber();
                }

                if (Describe(frame) is string text)
                {
                    details.Add(text);
                }
            }
        }

        return new CellError(exception.GetType().FullName!, exception.Message, line, string.Join('\n', details));
    }

    private static string? Describe(StackFrame frame)
    {
        if (frame.GetMethod() is not { DeclaringType: Type type } method)
        {
            return null;
        }

        // Cells are compiled under their name as file name; their compiled names ("Submission#3...") say nothing.
        if (type.FullName?.StartsWith("Submission#", StringComparison.Ordinal) ?? false)
        {
            return frame.GetFileLineNumber() > 0 ? $"   at {FileOf(frame)}, line {frame.GetFileLineNumber()}" : null;
        }

        string? space = type.Namespace;
        bool plumbing = type.Assembly == typeof(CellFailure).Assembly
            || (space?.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal) ?? false)
            || (space?.StartsWith("Microsoft.DotNet.Interactive", StringComparison.Ordinal) ?? false)
            || space is "System.Runtime.CompilerServices" or "System.Runtime.ExceptionServices";
        string parameters = string.Join(", ", method.GetParameters().Select(p => $"{p.ParameterType.Name} {p.Name}"));
        return plumbing ? null : $"   at {type.FullName}.{method.Name}({parameters})";
    }

    // The compiler takes the name of a cell for a file in the current folder.
    private static string FileOf(StackFrame frame) => Path.GetFileName(frame.GetFileName() ?? "");
}
