using System.Runtime.InteropServices;

namespace ClipOod.Runner.Execution;

/// <summary>The <c>dotnet</c> program whose runtime runs this process; not the first one on the path, which may be another.</summary>
internal static class DotnetHost
{
    /// <summary>Its full path.</summary>
    public static string Path { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(
        RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
}
