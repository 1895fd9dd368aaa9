using ClipOod.Runner.Documents;

namespace ClipOod.Runner.Kernel;

/// <summary>A kernel that a cell asks for and that this host does not have.</summary>
internal sealed class UnsupportedKernelException(string kernel) : Exception(
    $"The kernel '{kernel}' is not supported. Supported kernels: {string.Join(", ", DibKernels.Supported)}.");

/// <summary>Runs one cell of any kernel.</summary>
internal static class CellRunner
{
    public static Task RunAsync(CSharpKernel csharp, DibCell cell, string name, string path)
    {
        switch (cell.Kernel)
        {
            case "csharp":
                return csharp.RunAsync(cell.Source, name, path);
            case "markdown":
                Show("text/markdown", cell.Source);
                break;
            case "html":
                Show("text/html", cell.Source);
                break;
            case "javascript":
                Show("text/html", $"<script type=\"module\">{cell.Source}</script>");
                break;
            default:
                throw new UnsupportedKernelException(cell.Kernel);
        }

        return Task.CompletedTask;
    }

    private static void Show(string mimeType, string text) =>
        CellOutputs.Publish(CellOutputs.NextDisplayId(), new Dictionary<string, string> { [mimeType] = text });
}
