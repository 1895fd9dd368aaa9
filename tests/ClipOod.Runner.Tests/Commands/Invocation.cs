using ClipOod.Runner.Commands;
using ClipOod.Runner.Execution;

namespace ClipOod.Runner.Tests.Commands;

/// <summary>Runs the program in this process.</summary>
internal static class Invocation
{
    /// <summary>Runs the notebooks in this process, too.</summary>
    public static Task<(int Code, string Output, string Error)> InvokeAsync(params string[] arguments) => InvokeAsync(InProcess.RunAsync, arguments);

    /// <summary>Runs the notebooks as given; null for processes of their own.</summary>
    public static async Task<(int Code, string Output, string Error)> InvokeAsync(NotebookRunner? runner, string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await ClipOodCommand.InvokeAsync(arguments, output, error, runner);
        return (code, output.ToString(), error.ToString());
    }
}
