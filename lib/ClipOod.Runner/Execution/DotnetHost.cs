using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ClipOod.Runner.Execution;

/// <summary>The <c>dotnet</c> program whose runtime runs this process; not the first one on the path, which may be another.</summary>
internal static class DotnetHost
{
    /// <summary>Its full path.</summary>
    public static string Path { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    /// <summary>Runs it to its end.</summary>
    /// <param name="arguments">What it is told.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="limit">How long it may take; then it is ended.</param>
    /// <returns>Its exit code and what it wrote, its errors only where the code is not 0; code null where it was ended.</returns>
    public static async Task<(int? Code, string Output)> RunAsync(string[] arguments, string folder, TimeSpan limit)
    {
        var start = new ProcessStartInfo(Path, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string>[] texts = [process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync()];
        using var end = new CancellationTokenSource(limit);
        try
        {
            await process.WaitForExitAsync(end.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            return (null, "");
        }

        string[] written = await Task.WhenAll(texts);
        return (process.ExitCode, (process.ExitCode == 0 ? written[0] : string.Concat(written)).Trim());
    }
}
