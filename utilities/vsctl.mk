# qanat-vsctl; included by utilities/automake.mk.
