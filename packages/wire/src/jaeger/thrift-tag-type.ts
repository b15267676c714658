/** `TagType` of jaeger.thrift; the same types have other numbers in model.proto. */
export const TagType = Object.freeze({ STRING: 0, DOUBLE: 1, BOOL: 2, LONG: 3, BINARY: 4 } as const);
