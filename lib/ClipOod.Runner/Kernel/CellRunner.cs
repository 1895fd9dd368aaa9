using System.Diagnostics;
using ClipOod.Runner.Documents;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Kernel;

/// <summary>A kernel that a cell asks for and that this host does not have.</summary>
internal sealed class UnsupportedKernelException(string kernel) : Exception(
    $"The kernel '{kernel}' is not supported. Supported kernels: {string.Join(", ", DibKernels.Supported)}.");

/// <summary>Runs cells of any kernel, step by step.</summary>
internal sealed class CellRunner(ICellEngine engine, CellOutputs outputs)
{
    private readonly Stack<string> _importing = new();

    /// <summary>Runs a cell and returns when it has ended.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="name">What stack traces call it.</param>
    /// <param name="path">Full path of the file that holds the cell; relative paths start from its folder.</param>
    /// <param name="cancellation">Ends the wait for the cell.</param>
    public async Task RunAsync(DibCell cell, string name, string path, CancellationToken cancellation)
    {
        switch (cell.Kernel)
        {
            case "csharp" or "javascript":
                await RunStepsAsync(cell, name, path, cancellation);
                break;
            case string kernel when DibKernels.Supported.Contains(kernel):
                await engine.RunAsync(kernel, cell.Source, name, cancellation);
                break;
            default:
                throw new UnsupportedKernelException(cell.Kernel);
        }
    }

    private async Task RunStepsAsync(DibCell cell, string name, string path, CancellationToken cancellation)
    {
        Stopwatch? watch = null;
        foreach (CellStep step in CellSteps.Split(cell.Kernel, cell.Source, Path.GetDirectoryName(path)!, engine.DirectivesOf(cell.Kernel)))
        {
            try
            {
                switch (step)
                {
                    case TimeStep:
                        watch = Stopwatch.StartNew();
                        break;
                    case ImportStep import:
                        await ImportAsync(import, path, cancellation);
                        break;
                    case PackageStep package:
                        await RestoreAsync(package, cancellation);
                        break;
                    case EngineStep code:
                        await engine.RunAsync(cell.Kernel, code.Text, name, cancellation);
                        break;
                }
            }
            catch (EngineException e)
            {
                throw new DirectiveException(e.Message, step.Line, e);
            }
        }

        if (watch is not null)
        {
            string text = string.Create(null, $"Wall time: {watch.Elapsed.TotalMilliseconds}ms");
            outputs.Send(new ValueDisplayed(outputs.NextDisplayId(), new Dictionary<string, string> { ["text/plain"] = text }, IsResult: false, IsUpdate: false));
        }
    }

    private async Task RestoreAsync(PackageStep package, CancellationToken cancellation)
    {
        string directive = $"'#r \"nuget: {package.Id}, {package.Version}\"'";
        try
        {
            if (await engine.RestoreAsync(package.Id, package.Version, cancellation) is not { } restored)
            {
                return;
            }

            // NuGet takes the next version where the one that is asked for does not exist.
            if (restored.Version != package.Version)
            {
                throw new DirectiveException($"{directive}: there is no version {package.Version}; the next one is {restored.Version}. Write a version that exists.", package.Line);
            }

            if (restored.Assemblies.Select(ReferencedAssembly.OlderLoadedInstead).FirstOrDefault(own => own is not null) is string other)
            {
                throw new DirectiveException($"{directive}: {other}, which this program needs itself, is older and would be loaded in its place. Take an older version of the package.", package.Line);
            }
        }
        catch (EngineException e)
        {
            throw new DirectiveException(
                $"{directive}: the package cannot be restored. Check its id and version. Without a network only packages that were restored on this machine before can be had.\n{e.Message}",
                package.Line,
                e);
        }
    }

    private async Task ImportAsync(ImportStep import, string importingPath, CancellationToken cancellation)
    {
        if (_importing.Contains(import.Path) || import.Path == importingPath)
        {
            throw new DirectiveException($"#!import: {import.Path} imports itself.", import.Line);
        }

        _importing.Push(import.Path);
        string file = Path.GetFileName(import.Path);
        int number = 0;
        try
        {
            foreach (DibCell cell in DibDocument.Load(import.Path).Cells)
            {
                number++;
                await RunAsync(cell, $"{file} cell {number}", import.Path, cancellation);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            string where = number > 0 ? $" cell {number}" : "";
            CellError error = CellFailure.Of(e, $"{file} cell {number}");
            string line = error.Line is int at ? $", line {at}" : "";
            throw new DirectiveException($"#!import of {file} failed in{where}{line}: {error.Type}: {error.Message}", import.Line, e);
        }
        finally
        {
            _importing.Pop();
        }
    }
}
