using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

// AlignReferences WANTED.dll FOLDER ASSEMBLY.dll...
// Copies each assembly to the folder, with its reference to WANTED set to the version that WANTED.dll has.
// A host that has loaded an older WANTED gives it to whoever asks for no more than that, and loads ours for the others:
// then two of them are in one process, whose types do not match. Asking for one version, all get one.
if (args is not [var wantedPath, var folder, .. { Length: > 0 } paths])
{
    Console.Error.WriteLine("expected: AlignReferences WANTED.dll FOLDER ASSEMBLY.dll...");
    return 2;
}

AssemblyName wanted = AssemblyName.GetAssemblyName(wantedPath);
foreach (string path in paths)
{
    byte[] assembly = File.ReadAllBytes(path);
    using var file = new PEReader(new MemoryStream(assembly, writable: false));
    MetadataReader metadata = file.GetMetadataReader();
    if (!metadata.GetAssemblyDefinition().PublicKey.IsNil)
    {
        Console.Error.WriteLine($"{path} is strong named: changed, it would be another assembly. Take it from the list of those to align.");
        return 1;
    }

    AssemblyReferenceHandle[] references =
    [
        .. metadata.AssemblyReferences.Where(handle => metadata.StringComparer.Equals(metadata.GetAssemblyReference(handle).Name, wanted.Name!)),
    ];
    if (references.Length == 0)
    {
        Console.Error.WriteLine($"{path} does not refer to {wanted.Name}. Take it from the list of those to align.");
        return 1;
    }

    foreach (AssemblyReferenceHandle reference in references)
    {
        // A row of the table AssemblyRef starts with the four parts of the version, 16 bits each (ECMA-335, II.22.5).
        int row = file.PEHeaders.MetadataStartOffset + metadata.GetTableMetadataOffset(TableIndex.AssemblyRef)
            + (MetadataTokens.GetRowNumber(reference) - 1) * metadata.GetTableRowSize(TableIndex.AssemblyRef);
        Version version = wanted.Version!;
        foreach ((int part, int index) in new[] { version.Major, version.Minor, version.Build, version.Revision }.Select((part, i) => (part, i)))
        {
            BinaryPrimitives.WriteUInt16LittleEndian(assembly.AsSpan(row + 2 * index), (ushort)part);
        }
    }

    File.WriteAllBytes(Path.Combine(folder, Path.GetFileName(path)), assembly);
}

return 0;
