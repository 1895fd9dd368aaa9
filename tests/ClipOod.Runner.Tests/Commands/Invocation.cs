using ClipOod.Runner.Commands;

namespace ClipOod.Runner.Tests.Commands;

/// <summary>Runs the program in this process.</summary>
internal static class Invocation
{
    public static async Task<(int Code, string Output, string Error)> InvokeAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = await ClipOodCommand.InvokeAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
