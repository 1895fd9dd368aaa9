namespace ClipOod.Runner.Downloading;

/// <summary>The room that is left for files.</summary>
internal static class FreeSpace
{
    /// <summary>Bytes that this user may still write where a path lies, or will.</summary>
    public static long At(string path)
    {
        DirectoryInfo? folder = new(Path.GetFullPath(path));
        while (folder is { Exists: false })
        {
            folder = folder.Parent;
        }

        return folder is null ? long.MaxValue : new DriveInfo(OperatingSystem.IsWindows() ? folder.Root.FullName : folder.FullName).AvailableFreeSpace;
    }
}
